import tracemalloc
from collections.abc import Set as AbstractSet

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps, reject_gaps
from coinfarm.errors import CandleError, TooLarge
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes, without

ENOUGH = 1_000
CENTURY_MS = 100 * 365 * 24 * 60 * MINUTE_MS


def candles_at(times_ms: list[int]) -> Candles:
    """A market that rises by one with each candle: open 10, high 12, low 9, close 11, volume 5, and so on."""
    number = np.arange(len(times_ms))
    columns = Columns(open=10.0 + number, high=12.0 + number, low=9.0 + number, close=11.0 + number, volume=5.0 + number)
    return Candles.checked("DEMOUSD", "1m", np.array(times_ms), columns)


def test_a_missing_minute_is_flat_at_the_close_before_it_and_has_no_volume() -> None:
    filled_series = fill_gaps(candles_at([START_MS + minute * MINUTE_MS for minute in (0, 1, 4)]), ENOUGH)
    rows = [
        ((time - START_MS) // MINUTE_MS, *row)
        for time, *row in zip(filled_series.open_time.tolist(), *filled_series.columns, filled_series.filled, strict=True)
    ]
    assert rows == [
        (0, 10, 12, 9, 11, 5, False),
        (1, 11, 13, 10, 12, 6, False),
        (2, 12, 12, 12, 12, 0, True),
        (3, 12, 12, 12, 12, 0, True),
        (4, 12, 14, 11, 13, 7, False),
    ]


MISSING = st.sets(st.integers(1, 38))


@given(missing=MISSING)
def test_filling_completes_the_grid_and_changes_no_candle(missing: AbstractSet[int]) -> None:
    complete = minutes(40)
    broken = without(complete, missing)
    before = [column.copy() for column in broken.columns]
    filled_series = fill_gaps(broken, ENOUGH)
    np.testing.assert_array_equal(broken.columns, before)
    np.testing.assert_array_equal(filled_series.open_time, complete.open_time)
    assert np.flatnonzero(filled_series.filled).tolist() == sorted(missing)
    kept = ~filled_series.filled
    np.testing.assert_array_equal([column[kept] for column in filled_series.columns], [column[kept] for column in complete.columns])
    Candles.checked(filled_series.symbol, filled_series.interval, filled_series.open_time, filled_series.columns)
    assert_same_candles(fill_gaps(filled_series, ENOUGH), filled_series)


def test_candles_filled_before_still_count_as_filled() -> None:
    once = fill_gaps(minutes(20, missing={5}), ENOUGH)
    again = fill_gaps(without(once, {9}), ENOUGH)
    assert np.flatnonzero(again.filled).tolist() == [5, 9]


@given(missing=MISSING, end=st.integers(1, 40))
def test_later_candles_change_nothing_before_them(missing: AbstractSet[int], end: int) -> None:
    broken = minutes(40, missing=missing)
    first = fill_gaps(broken[:end], ENOUGH)
    assert_same_candles(fill_gaps(broken, ENOUGH)[: len(first)], first)


def test_candles_without_a_gap_are_returned_as_they_are() -> None:
    series = minutes(10)
    assert fill_gaps(series, 10) is series
    assert reject_gaps(series) is series
    assert len(fill_gaps(series[:0], ENOUGH)) == 0


@pytest.mark.parametrize("missing", [set(), {5}, {1, 2, 3, 4, 5, 6, 7, 8}], ids=len)
def test_fills_up_to_the_limit(missing: set[int]) -> None:
    broken = minutes(10, missing=missing)
    assert len(fill_gaps(broken, max_candles=10)) == 10
    with pytest.raises(TooLarge, match=r"10 .*1m.* 9 "):
        fill_gaps(broken, max_candles=9)


def test_a_gap_of_a_hundred_years_is_rejected_before_its_memory_is_taken() -> None:
    torn = candles_at([START_MS, START_MS + CENTURY_MS])
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="52560001"):
            fill_gaps(torn)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_each_gap_is_named_by_the_candle_after_it() -> None:
    with pytest.raises(CandleError) as raised:
        reject_gaps(minutes(20, missing={3, 10, 11, 12}))
    assert [(error.pointer, error.detail.split()[0]) for error in raised.value.errors] == [
        ("/candles/3/openTime", "1"),
        ("/candles/9/openTime", "3"),
    ]


def test_the_first_ten_gaps_are_named() -> None:
    with pytest.raises(CandleError) as raised:
        reject_gaps(minutes(60, missing=range(1, 59, 2)))
    assert [error.pointer for error in raised.value.errors] == [f"/candles/{at}/openTime" for at in range(1, 11)]
