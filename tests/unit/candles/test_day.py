"""A day as a grid: what is known of it, what two sources say about it, and series cut into days."""

from datetime import date

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, Day, by_day, day_of, day_start_ms, slots_per_day
from image_render.windows import Columns
from tests.support.synthetic_candles import assert_same_candles

DAY = date(2020, 1, 1)
START_MS = 1_577_836_800_000
HOURS_4_MS = 4 * 3_600_000


def candles_at(*slots: int, price: float = 10.0, volume: float = 5.0) -> Candles:
    """Candles of four hours, six to a day."""
    number = np.array(slots, np.int64)
    flat = price + number
    return Candles.checked("DEMOUSD", "4h", START_MS + number * HOURS_4_MS, Columns(flat, flat + 1, flat - 1, flat, volume + number))


def day(*slots: int, known: tuple[int, ...] = (), price: float = 10.0, volume: float = 5.0) -> Day:
    return Day.of(candles_at(*slots, price=price, volume=volume), DAY, np.isin(np.arange(6), known))


def test_a_day_is_a_grid_of_its_slots() -> None:
    found = day(1, 4, known=(0, 1))
    assert (found.symbol, found.interval, found.day) == ("DEMOUSD", "4h", DAY)
    assert found.known.tolist() == [True, True, False, False, True, False]
    assert found.traded.tolist() == [False, True, False, False, True, False]
    assert found.values.tolist() == [[0] * 5, [11, 12, 10, 11, 6], [0] * 5, [0] * 5, [14, 15, 13, 14, 9], [0] * 5]
    assert found.time_of(4) == START_MS + 4 * HOURS_4_MS
    assert_same_candles(found.candles, candles_at(1, 4))
    assert found.candles.filled.dtype == np.bool_


@pytest.mark.parametrize(("known", "is_complete"), [((0, 2, 3, 4, 5), True), ((0, 2, 3, 4), False)])
def test_a_day_is_complete_when_every_slot_is_known(known: tuple[int, ...], is_complete: bool) -> None:
    assert day(1, known=known).is_complete is is_complete


def test_days_differ_only_where_both_know_a_slot() -> None:
    one, other = day(0, 1, 2, known=(4, 5)), day(0, 2, 3, 5, known=(1, 4))
    assert one.differences(other).tolist() == other.differences(one).tolist() == [1, 5]


@pytest.mark.parametrize(("change", "slots"), [(5.0e-9, []), (5.2e-9, [0, 1]), (-5.2e-9, [0, 1])])
def test_numbers_are_equal_if_eight_decimals_are(change: float, slots: list[int]) -> None:
    changed = day(0, 1, price=0.0 + 1.5 + change)
    assert day(0, 1, price=1.5).differences(changed).tolist() == slots
    assert day(0, 1, volume=0.5).differences(day(0, 1, volume=0.5 + change)).tolist() == slots


def test_the_newer_day_is_believed_where_both_know_a_slot() -> None:
    newer, older = day(0, known=(1,), price=20), day(0, 1, 2, known=(3,))
    both = newer.merged_over(older)
    assert (both.symbol, both.interval, both.day) == ("DEMOUSD", "4h", DAY)
    assert both.known.tolist() == [True, True, True, True, False, False]
    assert both.traded.tolist() == [True, False, True, False, False, False]
    assert both.values[:, 0].tolist() == [20, 0, 12, 0, 0, 0]


@pytest.mark.parametrize(("interval", "slots"), [("1m", 1_440), ("1h", 24), ("1d", 1)])
def test_slots_per_day(interval: str, slots: int) -> None:
    assert slots_per_day(interval) == slots


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [(START_MS, DAY), (START_MS - 1, date(2019, 12, 31)), (START_MS + DAY_MS - 1, DAY), (0, date(1970, 1, 1)), (-1, date(1969, 12, 31))],
)
def test_a_day_begins_at_midnight_utc(time_ms: int, expected: date, tokyo: None) -> None:
    assert day_of(time_ms) == expected
    assert 0 <= time_ms - day_start_ms(expected) < DAY_MS


def test_a_series_is_cut_at_midnight() -> None:
    series = candles_at(3, 5, 6, 7, 11, 25)
    days = list(by_day(series))
    assert [len(part) for part in days] == [2, 3, 1]
    assert_same_candles(Candles.concatenate("DEMOUSD", "4h", days), series)
    assert list(by_day(series[:0])) == []
