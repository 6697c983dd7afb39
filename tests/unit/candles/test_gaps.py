"""What becomes of a minute in which nobody traded: `fill_gaps` and `reject_gaps`."""

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
    whole = fill_gaps(candles_at([START_MS + minute * MINUTE_MS for minute in (0, 1, 4)]), ENOUGH)
    rows = [
        ((time - START_MS) // MINUTE_MS, *row) for time, *row in zip(whole.open_time.tolist(), *whole.columns, whole.filled, strict=True)
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
def test_the_grid_is_unbroken_and_what_was_there_is_unchanged(missing: AbstractSet[int]) -> None:
    complete = minutes(40)
    whole = fill_gaps(without(complete, missing), ENOUGH)
    np.testing.assert_array_equal(whole.open_time, complete.open_time)
    assert np.flatnonzero(whole.filled).tolist() == sorted(missing)
    kept = ~whole.filled
    np.testing.assert_array_equal([column[kept] for column in whole.columns], [column[kept] for column in complete.columns])


@given(missing=MISSING)
def test_what_is_filled_in_would_pass_the_checks_too(missing: AbstractSet[int]) -> None:
    whole = fill_gaps(minutes(40, missing=missing), ENOUGH)
    Candles.checked(whole.symbol, whole.interval, whole.open_time, whole.columns)


@given(missing=MISSING)
def test_filled_candles_are_filled_once_and_for_all(missing: AbstractSet[int]) -> None:
    whole = fill_gaps(minutes(40, missing=missing), ENOUGH)
    assert_same_candles(fill_gaps(whole, ENOUGH), whole)


def test_what_was_filled_before_goes_on_counting_as_filled() -> None:
    once = fill_gaps(minutes(20, missing={5}), ENOUGH)
    again = fill_gaps(without(once, {9}), ENOUGH)
    assert np.flatnonzero(again.filled).tolist() == [5, 9]


@given(missing=MISSING, end=st.integers(1, 40))
def test_what_comes_later_changes_nothing_before_it(missing: AbstractSet[int], end: int) -> None:
    broken = minutes(40, missing=missing)
    first = fill_gaps(broken[:end], ENOUGH)
    assert_same_candles(fill_gaps(broken, ENOUGH)[: len(first)], first)


def test_the_input_is_left_as_it_was() -> None:
    broken = minutes(40, missing={7, 8})
    before = [column.copy() for column in broken.columns]
    fill_gaps(broken, ENOUGH)
    np.testing.assert_array_equal(broken.columns, before)


def test_no_candles_have_no_hole() -> None:
    assert len(fill_gaps(minutes(5)[:0], ENOUGH)) == 0


@pytest.mark.parametrize("missing", [set(), {5}], ids=["whole", "with a hole"])
def test_as_many_as_allowed_are_filled_and_one_more_is_refused(missing: set[int]) -> None:
    broken = minutes(10, missing=missing)
    assert len(fill_gaps(broken, max_candles=10)) == 10
    with pytest.raises(TooLarge, match=r"span 10 intervals of 1m with their holes filled; at most 9 are allowed"):
        fill_gaps(broken, max_candles=9)


def test_a_hole_of_a_hundred_years_is_refused_before_its_memory_is_taken() -> None:
    torn = candles_at([START_MS, START_MS + CENTURY_MS])
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="2 candles span 52560001 intervals"):
            fill_gaps(torn, ENOUGH)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_whole_candles_pass_where_holes_are_refused() -> None:
    whole = minutes(10)
    assert reject_gaps(whole) is whole


def test_each_hole_is_named_by_the_candle_after_it() -> None:
    with pytest.raises(CandleError) as refused:
        reject_gaps(minutes(20, missing={3, 10, 11, 12}))
    assert [(fault.pointer, fault.detail.split(":")[0]) for fault in refused.value.faults] == [
        ("/candles/3/openTime", "1 candles are missing before it"),
        ("/candles/9/openTime", "3 candles are missing before it"),
    ]


def test_of_many_holes_the_first_ten_are_named() -> None:
    with pytest.raises(CandleError, match='let them be filled with "gaps": "fill"') as refused:
        reject_gaps(minutes(60, missing=range(1, 59, 2)))
    assert [fault.pointer for fault in refused.value.faults] == [f"/candles/{at}/openTime" for at in range(1, 11)]
