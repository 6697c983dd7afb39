import pytest

from coinfarm.errors import CandleError
from coinfarm.prediction.series import Series
from tests.support.synthetic_candles import minutes


@pytest.mark.parametrize("count", [1, 199])
def test_rejects_series_shorter_than_a_window(count: int) -> None:
    with pytest.raises(CandleError, match=f"/candles: {count} candles"):
        Series(minutes(count))
