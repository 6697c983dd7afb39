import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes


def test_raw_columns_become_typed() -> None:
    candles = Candles.checked("DEMOUSD", "5m", [START_MS, START_MS + 300_000], Columns([1, 2], [3, 4], [1, 1], [2, 3], [0, 5]))  # type: ignore[arg-type]
    assert (candles.symbol, candles.interval, candles.interval_ms, len(candles)) == ("DEMOUSD", "5m", 300_000, 2)
    assert (candles.open_time.dtype, candles.filled.dtype) == (np.int64, np.bool_)
    assert [column.dtype for column in candles.columns] == [np.float64] * 5
    assert [column.tolist() for column in candles.columns] == [[1, 2], [3, 4], [1, 1], [2, 3], [0, 5]]
    assert candles.filled.tolist() == [False, False]


@pytest.mark.parametrize(
    ("start", "stop", "kept"),
    [
        pytest.param(None, None, range(10), id="no bound"),
        pytest.param(3, None, range(3, 10), id="from the fourth on"),
        pytest.param(None, 3, range(3), id="up to the fourth, which is excluded"),
        pytest.param(2, 5, range(2, 5), id="in between"),
        pytest.param(2.5, 4.5, range(3, 5), id="between candles"),
        pytest.param(-5, 99, range(10), id="wider than the series"),
        pytest.param(5, 5, range(0), id="empty"),
        pytest.param(7, 3, range(0), id="the wrong way round"),
    ],
)
def test_candles_are_bounded_by_their_open_times(start: float | None, stop: float | None, kept: range) -> None:
    candles = minutes(10)

    def time_ms(minute: float | None) -> int | None:
        return None if minute is None else int(START_MS + minute * MINUTE_MS)

    found = candles.between(time_ms(start), time_ms(stop))
    assert found.open_time.tolist() == [START_MS + at * MINUTE_MS for at in kept]
    assert found.columns.close.tolist() == candles.columns.close[list(kept)].tolist()


def test_the_parts_of_a_series_make_it_again() -> None:
    series = fill_gaps(minutes(10, missing={2, 7}))
    assert_same_candles(Candles.concatenate("DEMOUSD", "1m", [series[:3], series[3:3], series[3:]]), series)
    empty = Candles.concatenate("DEMOUSD", "1m", [])
    assert_same_candles(empty, minutes(1)[:0])
    assert [column.dtype for column in (empty.open_time, *empty.columns, empty.filled)] == [np.int64, *[np.float64] * 5, np.bool_]
