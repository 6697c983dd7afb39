"""What the data must show: one interval, candles on its grid, columns in their places, and times in UTC."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from coinfarm.candles.files import read_candles
from coinfarm.candles.synthetic import SyntheticMarket, generate
from coinfarm.errors import CandleError
from tests.support.layout_rows import Row, csv_bytes, rows_of

NAMES = "open_time,open,high,low,close,volume"
NEW_YORK = ZoneInfo("America/New_York")


def rows(interval: str, count: int, start: datetime = datetime(2024, 1, 2, tzinfo=UTC)) -> list[Row]:
    return rows_of(generate("DEMOUSD", interval, round(start.timestamp() * 1000), count, 3, market=SyntheticMarket(volume=2.0)))


HOURS = rows("1h", 480)


def as_csv(candles: list[Row], time: Callable[[Row], object] = lambda row: row.time) -> bytes:
    return csv_bytes([(time(row), *row.ohlcv) for row in candles], NAMES)


def sessions(interval: str, minutes: int, count: int) -> list[Row]:
    """Twenty trading days of New York from 09:30 on."""
    days = [day for at in range(28) if (day := datetime(2024, 6, 3, 9, 30, tzinfo=NEW_YORK) + timedelta(at)).weekday() < 5]
    opens = [day + timedelta(minutes=minutes * at) for day in days for at in range(count)]
    candles = rows(interval, len(opens))
    return [replace(row, time=round(time.timestamp() * 1000)) for row, time in zip(candles, opens, strict=True)]


@pytest.mark.parametrize("swapped", list(itertools.permutations(range(1, 6))), ids=str)
@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_columns_in_any_other_order_are_rejected_or_recognised(interval: str, swapped: tuple[int, ...]) -> None:
    """Without a header: the right candles, whatever the order, or a refusal."""
    candles = rows(interval, 300)
    data = csv_bytes([[(row.time, *row.ohlcv)[at] for at in (0, *swapped)] for row in candles])
    try:
        found = read_candles(data, f"BTCUSDT-{interval}.csv").candles
    except CandleError:
        return
    assert list(zip(*(column.tolist() for column in found.columns), strict=True)) == [row.ohlcv for row in candles]


@pytest.mark.parametrize("swapped", list(itertools.combinations(range(6), 2)), ids=str)
def test_a_header_that_names_two_columns_wrongly_is_found_out(swapped: tuple[int, int]) -> None:
    names = NAMES.split(",")
    first, second = swapped
    names[first], names[second] = names[second], names[first]
    with pytest.raises(CandleError):
        read_candles(csv_bytes([(row.time, *row.ohlcv) for row in HOURS], ",".join(names)), "BTCUSDT-1h.csv")


@pytest.mark.parametrize(
    ("volume", "named"),
    [
        (lambda row: row.vwap, "price"),
        (lambda row: 0, "zero"),
        (lambda row: 1, "every volume is 1"),
        (lambda row: row.close * 1.9e7, "multiple of the price"),
    ],
)
@pytest.mark.parametrize("header", [NAMES, None], ids=["header", "no header"])
def test_what_is_no_volume_is_rejected(volume: Callable[[Row], float], named: str, header: str | None) -> None:
    with pytest.raises(CandleError, match=named):
        read_candles(csv_bytes([(row.time, *row.ohlcv[:4], volume(row)) for row in HOURS], header), "BTCUSDT-1h.csv")


@pytest.mark.parametrize(
    ("candles", "name", "named"),
    [
        pytest.param(sessions("1h", 60, 7), "AAPL-1h.csv", "30m candles", id="hours from 09:30"),
        pytest.param([replace(row, time=row.time - 8 * 3_600_000) for row in rows("1d", 60)], "BTC-1d.csv", "1Dutc", id="days of China"),
        pytest.param([replace(row, time=row.time + 3_600_000) for row in rows("4h", 60)], "BTC-4h.csv", "1h candles", id="4h from 01:00"),
        pytest.param(
            [*rows("1m", 600), *rows("1h", 480, datetime(2024, 1, 2, 10, tzinfo=UTC))], "BTC-1m.csv", "two intervals.*line 602", id="1m, 1h"
        ),
    ],
)
def test_another_grid_is_rejected_with_a_remedy(candles: list[Row], name: str, named: str) -> None:
    with pytest.raises(CandleError, match=named):
        read_candles(as_csv(candles), name, symbol="BTCUSD")


def test_sessions_whose_candles_are_on_the_grid_are_read() -> None:
    candles = sessions("30m", 30, 13)
    assert read_candles(as_csv(candles), "AAPL-30m.csv").candles.open_time.tolist() == [row.time for row in candles]


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", datetime(2024, 3, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2024, 3, 20, tzinfo=UTC)),
        ("Asia/Jerusalem", datetime(2024, 3, 20, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2024, 4, 15, tzinfo=UTC)),
        ("America/Santiago", datetime(2024, 8, 25, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2024, 9, 15, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2024, 9, 25, tzinfo=UTC)),
    ],
)
def test_clocks_that_are_set_forward_are_found_out(zone: str, start: datetime) -> None:
    candles = rows("1h", 480, start)
    data = as_csv(candles, lambda row: row.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"))
    with pytest.raises(CandleError, match="--timezone"):
        read_candles(data, "BTCUSDT-1h.csv")
    assert read_candles(data, "BTCUSDT-1h.csv", timezone=zone).candles.open_time.tolist() == [row.time for row in candles]


@pytest.mark.parametrize("pattern", ["%y/%m/%d %H:%M", "%y-%m-%d %H:%M", "%Y-%m-%d %I:%M", "%H:%M", "%Y-%m-%d"])
def test_times_that_may_mean_something_else_are_rejected(pattern: str) -> None:
    with pytest.raises(CandleError):
        read_candles(as_csv(HOURS, lambda row: row.text(pattern)), "BTCUSDT-1h.csv")


@pytest.mark.parametrize(
    "pattern", ["%d.%m.%y %H:%M", "%m/%d/%y %H:%M", "%d/%m/%Y %H:%M", "%d %b %Y %H:%M", '"%b %d, %Y %I:%M %p"', "%d-%b-%Y %H:%M:%S"]
)
def test_other_orders_of_dates_are_read(pattern: str) -> None:
    found = read_candles(as_csv(HOURS, lambda row: row.text(pattern)), "BTCUSDT-1h.csv").candles
    assert found.open_time.tolist() == [row.time for row in HOURS]
