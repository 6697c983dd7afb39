import io
from datetime import date, timedelta

import numpy as np
import pytest
from PIL import Image

from coinfarm.candle_store.check import SeriesCheck
from coinfarm.candle_store.coverage_chart import coverage_png, day_coverage_pct

FIRST = date(2020, 1, 1)


def test_each_day_of_the_checked_period_has_a_share() -> None:
    check = SeriesCheck("DEMO", "1m", days={FIRST: 720, FIRST + timedelta(2): 1440})
    shares = day_coverage_pct(check)
    assert shares.shape == (1, 31)
    np.testing.assert_array_equal(shares[0, :4], [50, np.nan, 100, -1])


@pytest.mark.parametrize(("candles", "min_dark_share", "max_dark_share"), [(1440, 0.3, 0.9), (144, 0.0, 0.05)], ids=["full", "thin"])
def test_days_with_more_candles_are_darker(candles: int, min_dark_share: float, max_dark_share: float) -> None:
    check = SeriesCheck("DEMO", "1m", days={FIRST + timedelta(at): candles for at in range(91)})
    pixels = np.asarray(Image.open(io.BytesIO(coverage_png([check]))).convert("RGB")).astype(int)
    dark = (pixels[:, :, 2] > pixels[:, :, 0] + 40) & (pixels[:, :, 0] < 60)
    assert min_dark_share <= dark.mean() <= max_dark_share
