from collections.abc import Callable

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.validation import MAX_VALUE, MIN_MILLISECONDS, MIN_PRICE, as_milliseconds, candle_errors
from coinfarm.errors import CandleError, InvalidInput
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS

COUNT = 5
FIRST_MICROSECONDS = 10**14
NAN, INF = float("nan"), float("inf")


def valid_minutes() -> tuple[list[int], dict[str, list[float]]]:
    """Times and columns of five minutes, to be changed."""
    prices = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1.0}
    return [START_MS + number * MINUTE_MS for number in range(COUNT)], {field: [value] * COUNT for field, value in prices.items()}


def checked(times: list[int], columns: dict[str, list[float]], interval: str = "1m") -> Candles:
    return Candles.checked("DEMOUSD", interval, np.array(times), Columns(**{field: np.array(cells) for field, cells in columns.items()}))


def pointers(times: list[int], columns: dict[str, list[float]], interval: str = "1m") -> list[str]:
    """Where the error points."""
    with pytest.raises(CandleError) as raised:
        checked(times, columns, interval)
    return [error.pointer for error in raised.value.errors]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("volume", 0.0, id="no volume"),
        pytest.param("low", MIN_PRICE, id="the lowest price"),
        pytest.param("high", MAX_VALUE, id="the highest price"),
        pytest.param("volume", MAX_VALUE, id="the largest volume"),
        pytest.param("high", 11.0, id="no upper wick"),
        pytest.param("low", 10.0, id="no lower wick"),
    ],
)
def test_accepts_what_is_rare_but_valid(field: str, value: float) -> None:
    times, columns = valid_minutes()
    columns[field][2] = value
    assert getattr(checked(times, columns).columns, field)[2] == value


def test_accepts_the_largest_price_in_every_field() -> None:
    times, columns = valid_minutes()
    for field in Columns._fields:
        columns[field][2] = MAX_VALUE
    assert [column[2] for column in checked(times, columns).columns] == [MAX_VALUE] * 5


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        *((field, value, field) for field in ("open", "high", "low", "close") for value in (NAN, INF, -INF, 0.0, -1.0, 0.9 * MIN_PRICE)),
        *(("volume", value, "volume") for value in (NAN, INF, -1e-9, 1.01 * MAX_VALUE)),
        ("high", 1.01 * MAX_VALUE, "high"),
        ("open", 12.5, "high"),
        ("close", 12.5, "high"),
        ("open", 8.5, "low"),
        ("close", 8.5, "low"),
    ],
)
def test_an_invalid_value_is_named_by_candle_and_field(field: str, value: float, pointer: str) -> None:
    times, columns = valid_minutes()
    columns[field][3] = value
    assert pointers(times, columns) == [f"/candles/3/{pointer}"]


def test_a_candle_upside_down_is_wrong_in_every_way() -> None:
    times, columns = valid_minutes()
    columns["high"][1], columns["low"][1] = columns["low"][1], columns["high"][1]
    assert pointers(times, columns) == [f"/candles/1/{field}" for field in ("high", "low", "high", "low", "high")]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        pytest.param(lambda times: [*times[:2], times[1], *times[3:]], [2], id="twice"),
        pytest.param(lambda times: [times[0], times[3], times[1], *times[3:]], [2], id="out of order"),
        pytest.param(lambda times: [times[0] + 1, *times[1:]], [0], id="a millisecond off"),
        pytest.param(lambda times: [*times[:4], times[4] + 30_000], [4], id="half a minute off"),
        pytest.param(lambda times: [time // 1000 for time in times], [0, 1, 2, 3, 4], id="seconds"),
        pytest.param(lambda times: [0, *times[1:]], [0], id="the epoch"),
        pytest.param(lambda times: [-times[0], *times[1:]], [0], id="before the epoch"),
        pytest.param(lambda times: [time * 1_000_000 for time in times], [0, 1, 2, 3, 4], id="nanoseconds"),
        pytest.param(lambda times: [*times[:4], 2**63 - 1], [4], id="beyond any calendar"),
    ],
)
def test_an_invalid_time_is_named_by_candle(change: Callable[[list[int]], list[int]], at: list[int]) -> None:
    times, columns = valid_minutes()
    found = pointers(change(times), columns)
    assert list(dict.fromkeys(found)) == [f"/candles/{number}/openTime" for number in at]


def detail(time: int, interval: str = "1m") -> list[str]:
    """What is wrong with the time of a single candle."""
    one = Columns(*(np.ones(1) for _ in Columns._fields))
    return [detail for _, _, detail in candle_errors(as_milliseconds(np.array([time])), one, interval)]


def test_seconds_and_nanoseconds_are_told_from_a_time_off_the_grid() -> None:
    off_the_grid = [detail(START_MS + 1), detail(MIN_MILLISECONDS), detail(FIRST_MICROSECONDS - 1)]
    seconds = [detail(MIN_MILLISECONDS - 1), detail(0), detail(-MINUTE_MS)]
    nanoseconds = [detail(1000 * FIRST_MICROSECONDS), detail(1000 * FIRST_MICROSECONDS + MINUTE_MS * 1000)]
    assert [len(found) for found in (*off_the_grid, *seconds, *nanoseconds)] == [1] * 8
    assert len({*map(str, off_the_grid)}) == len({*map(str, seconds)}) == len({*map(str, nanoseconds)}) == 1
    assert len({*map(str, (*off_the_grid, *seconds, *nanoseconds))}) == 3
    assert detail(START_MS) == []


def test_the_grid_is_that_of_the_interval() -> None:
    with pytest.raises(InvalidInput) as raised:
        checked(*valid_minutes(), interval="7m")
    assert [error.pointer for error in raised.value.errors] == ["/interval"]
    assert pointers(*valid_minutes(), interval="1h") == [f"/candles/{at}/openTime" for at in range(1, COUNT)]


@pytest.mark.parametrize("first_in_microseconds", [0, 2, COUNT], ids=["all", "from the third on", "none"])
def test_microseconds_become_milliseconds(first_in_microseconds: int) -> None:
    """Binance's archive has them from 2025 on, so a series may change in the middle."""
    times, columns = valid_minutes()
    mixed = [time * 1000 if number >= first_in_microseconds else time for number, time in enumerate(times)]
    assert checked(mixed, columns).open_time.tolist() == times


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [(FIRST_MICROSECONDS - 1, FIRST_MICROSECONDS - 1), (FIRST_MICROSECONDS, FIRST_MICROSECONDS // 1000), (1000 * START_MS + 999, START_MS)],
)
def test_large_times_are_microseconds(time: int, milliseconds: int) -> None:
    assert as_milliseconds(np.array([time])).tolist() == [milliseconds]


def test_the_first_ten_errors_are_named_in_the_order_of_the_candles() -> None:
    times = [START_MS + number * MINUTE_MS for number in range(30)]
    columns = {field: [10.0] * 30 for field in Columns._fields}
    columns["volume"] = [-1.0] * 30
    columns["close"][1] = 0.0
    assert pointers(times, columns) == ["/candles/0/volume", "/candles/1/close", *(f"/candles/{at}/volume" for at in range(1, 9))]
