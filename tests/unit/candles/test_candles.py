"""What candles may be, and where the error points when they are not."""

from collections.abc import Callable

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.validation import MAX_VALUE
from coinfarm.errors import CandleError, RequestError
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

COUNT = 5


def raw() -> tuple[list[int], dict[str, list[float]]]:
    """Five good minutes, to be spoiled."""
    times = [START_MS + number * MINUTE_MS for number in range(COUNT)]
    prices = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1.0}
    return times, {field: [value] * COUNT for field, value in prices.items()}


def checked(times: list[int], columns: dict[str, list[float]], interval: str = "1m") -> Candles:
    return Candles.checked("DEMOUSD", interval, np.array(times), Columns(**{field: np.array(cells) for field, cells in columns.items()}))


def test_good_candles_become_typed_columns() -> None:
    candles = checked(*raw())
    assert len(candles) == COUNT
    assert candles.open_time.dtype == np.int64
    assert [column.dtype for column in candles.columns] == [np.float64] * 5
    assert candles.interval_ms == MINUTE_MS
    assert not candles.filled.any()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("volume", 0.0, id="no volume"),
        pytest.param("low", 1e-8, id="a price of 1e-8"),
        pytest.param("high", MAX_VALUE, id="the largest price"),
        pytest.param("volume", MAX_VALUE, id="the largest volume"),
        pytest.param("high", 11.0, id="no upper wick"),
        pytest.param("low", 10.0, id="no lower wick"),
    ],
)
def test_what_is_rare_but_possible_is_let_through(field: str, value: float) -> None:
    times, columns = raw()
    columns[field][2] = value
    assert getattr(checked(times, columns).columns, field)[2] == value


PRICE = "must be a finite price above zero"
VOLUME = "must be a finite volume, zero or above"
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("field", "value", "pointer", "detail"),
    [
        *(pytest.param(field, NAN, field, PRICE, id=f"{field} NaN") for field in ("open", "high", "low", "close")),
        *(pytest.param(field, 0.0, field, PRICE, id=f"{field} zero") for field in ("open", "high", "low", "close")),
        pytest.param("open", -1.0, "open", PRICE, id="negative price"),
        pytest.param("high", INF, "high", PRICE, id="infinite price"),
        pytest.param("low", -INF, "low", PRICE, id="negative infinite price"),
        pytest.param("high", 1.01e18, "high", PRICE, id="huge price"),
        pytest.param("volume", NAN, "volume", VOLUME, id="volume NaN"),
        pytest.param("volume", INF, "volume", VOLUME, id="infinite volume"),
        pytest.param("volume", -1e-9, "volume", VOLUME, id="negative volume"),
        pytest.param("volume", 1.01e18, "volume", VOLUME, id="huge volume"),
        pytest.param("open", 12.5, "high", "is below the open", id="high below open"),
        pytest.param("close", 12.5, "high", "is below the close", id="high below close"),
        pytest.param("open", 8.5, "low", "is above the open", id="low above open"),
        pytest.param("close", 8.5, "low", "is above the close", id="low above close"),
    ],
)
def test_a_value_that_cannot_be_is_named_by_candle_and_field(field: str, value: float, pointer: str, detail: str) -> None:
    times, columns = raw()
    columns[field][3] = value
    with pytest.raises(CandleError, match=detail) as refused:
        checked(times, columns)
    assert [fault.pointer for fault in refused.value.faults] == [f"/candles/3/{pointer}"]


def test_a_candle_upside_down_is_wrong_in_every_way() -> None:
    times, columns = raw()
    columns["high"][1], columns["low"][1] = columns["low"][1], columns["high"][1]
    with pytest.raises(CandleError) as refused:
        checked(times, columns)
    assert [str(fault) for fault in refused.value.faults] == [
        "/candles/1/high: is below the open",
        "/candles/1/low: is above the open",
        "/candles/1/high: is below the close",
        "/candles/1/low: is above the close",
        "/candles/1/high: is below the low",
    ]


@pytest.mark.parametrize(
    ("spoil", "at", "detail"),
    [
        pytest.param(lambda times: [*times[:2], times[1], *times[3:]], 2, "is the candle before it again", id="doubled"),
        pytest.param(lambda times: [*times[:2], times[0], *times[3:]], 2, "is earlier than the candle before it", id="out of order"),
        pytest.param(lambda times: [*times[:4], times[4] + 1], 4, "is not a multiple of 1m", id="a millisecond off"),
        pytest.param(lambda times: [times[0] - 30_000, *times[1:]], 0, "is not a multiple of 1m", id="half a minute off"),
        pytest.param(lambda times: [time // 1000 for time in times], 0, "milliseconds .* not seconds", id="seconds"),
        pytest.param(lambda times: [0, *times[1:]], 0, "milliseconds .* not seconds", id="the epoch"),
        pytest.param(lambda times: [-times[0], *times[1:]], 0, "milliseconds .* not seconds", id="before the epoch"),
        pytest.param(lambda times: [time * 1_000_000 for time in times], 0, "milliseconds .* not nanoseconds", id="nanoseconds"),
        pytest.param(lambda times: [*times[:4], 2**63 - 1], 4, "milliseconds .* not nanoseconds", id="beyond any calendar"),
    ],
)
def test_a_time_that_cannot_be_is_named_by_candle(spoil: Callable[[list[int]], list[int]], at: int, detail: str) -> None:
    times, columns = raw()
    with pytest.raises(CandleError, match=detail) as refused:
        checked(spoil(times), columns)
    assert refused.value.faults[0].pointer == f"/candles/{at}/openTime"


def test_minutes_are_off_the_grid_of_hours() -> None:
    with pytest.raises(CandleError, match="is not a multiple of 1h") as refused:
        checked(*raw(), interval="1h")
    assert [fault.pointer for fault in refused.value.faults] == [f"/candles/{at}/openTime" for at in range(1, COUNT)]


def test_an_unknown_interval_is_named() -> None:
    with pytest.raises(RequestError, match="/interval: '7m'"):
        checked(*raw(), interval="7m")


@pytest.mark.parametrize("first_in_microseconds", [0, 2, COUNT], ids=["all", "from the third on", "none"])
def test_microseconds_become_milliseconds(first_in_microseconds: int) -> None:
    """Binance's archive counts them from 2025 on, so that a series may change in the middle."""
    times, columns = raw()
    mixed = [time * 1000 if number >= first_in_microseconds else time for number, time in enumerate(times)]
    assert checked(mixed, columns).open_time.tolist() == times


def test_of_many_faults_the_first_ten_are_named_in_the_order_of_the_candles() -> None:
    times = [START_MS + number * MINUTE_MS for number in range(30)]
    columns = {field: [10.0] * 30 for field in Columns._fields}
    columns["volume"] = [-1.0] * 30
    columns["close"][1] = 0.0
    with pytest.raises(CandleError) as refused:
        checked(times, columns)
    pointers = [fault.pointer for fault in refused.value.faults]
    assert pointers == ["/candles/0/volume", "/candles/1/close", *(f"/candles/{at}/volume" for at in range(1, 9))]


@pytest.mark.parametrize(
    ("start", "stop", "kept"),
    [
        pytest.param(None, None, range(10), id="no bound"),
        pytest.param(3, None, range(3, 10), id="from the fourth on"),
        pytest.param(None, 3, range(3), id="up to the fourth, without it"),
        pytest.param(2, 5, range(2, 5), id="in between"),
        pytest.param(2.5, 4.5, range(3, 5), id="between candles"),
        pytest.param(-5, 99, range(10), id="wider than the series"),
        pytest.param(5, 5, range(0), id="empty"),
        pytest.param(7, 3, range(0), id="the wrong way round"),
    ],
)
def test_candles_are_cut_by_their_open_times(start: float | None, stop: float | None, kept: range) -> None:
    candles = minutes(10)

    def time_ms(minute: float | None) -> int | None:
        return None if minute is None else int(START_MS + minute * MINUTE_MS)

    found = candles.between(time_ms(start), time_ms(stop))
    assert found.open_time.tolist() == [START_MS + at * MINUTE_MS for at in kept]
    assert found.columns.close.tolist() == candles.columns.close[list(kept)].tolist()
