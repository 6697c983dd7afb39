"""Rows that do not belong to the others: of another coin, of another year, or a bad tick."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from coinfarm.candles.files import read_candles
from coinfarm.errors import CandleError
from tests.support.layout_rows import START_MS, csv_bytes, each

NAMES = "open_time,open,high,low,close,volume"
ROWS: list[tuple[float, ...]] = each(lambda row: (row.time, *row.ohlcv))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def priced(row: Sequence[float], factor: float, later_ms: int = 0) -> tuple[float, ...]:
    return row[0] + later_ms, *(price * factor for price in row[1:5]), row[5]


def changed(at: int, make: Callable[[tuple[float, ...]], tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [make(row) if number == at else row for number, row in enumerate(ROWS)]


@pytest.mark.parametrize("header", [NAMES, None], ids=["header", "no header"])
@pytest.mark.parametrize(
    ("rows", "named"),
    [
        pytest.param([*ROWS, *(priced(row, 3, HOUR_MS) for row in ROWS)], "stays there", id="one coin after the other"),
        pytest.param([*ROWS, *(priced(row, 0.3, -HOUR_MS) for row in ROWS)], "stays there", id="the second coin begins before the first"),
        pytest.param([*ROWS[:30], *(priced(row, 1e-3) for row in ROWS[30:])], "stays there", id="the second half in thousands"),
        pytest.param([priced(row, 1 + at % 2) for at, row in enumerate(ROWS)], "two coins|one before closed", id="coins alternate"),
        pytest.param([priced(row, 1 + at % 2 / 10) for at, row in enumerate(ROWS)], "mixed|one before closed", id="prices a tenth apart"),
        pytest.param([*ROWS, *(priced(row, 1 / 15) for row in ROWS)], "two coins", id="the same times again"),
        pytest.param([*ROWS[:59], priced(ROWS[59], 1, 20 * DAY_MS)], "20 days away", id="a row weeks later"),
        pytest.param([*ROWS, *(priced(row, 1, -1200 * DAY_MS) for row in ROWS[:3])], "days away", id="three rows years before"),
    ],
)
def test_is_rejected(rows: list[tuple[Any, ...]], named: str, header: str | None) -> None:
    with pytest.raises(CandleError, match=named):
        read_candles(csv_bytes(rows, header), "BTCUSDT-1m.csv")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(changed(30, lambda row: priced(row, 1000)), id="all prices times 1,000"),
        pytest.param(changed(30, lambda row: (*row[:2], row[2] * 1000, *row[3:])), id="the high times 1,000"),
    ],
)
def test_a_bad_tick_is_noted(rows: list[tuple[Any, ...]]) -> None:
    reading = read_candles(csv_bytes(rows, NAMES), "BTCUSDT-1m.csv")
    assert len(reading.candles) == 60
    assert any("bad tick" in note and "line 32" in note for note in reading.notes)


def test_a_file_of_two_periods_is_read() -> None:
    rows = [*ROWS, *(priced(row, 1, 400 * DAY_MS) for row in ROWS)]
    assert len(read_candles(csv_bytes(rows, NAMES), "BTCUSDT-1m.csv").candles) == 120
    assert ROWS[0][0] == START_MS


def test_the_spread_of_a_market_with_few_trades_is_no_jump() -> None:
    """Each candle is a cent wide, and opens twenty cents from where the one before closed: at the other side of the spread."""
    rows = [(row[0], *(price + at % 2 * 0.2 for price in (50.0, 50.01, 50.0, 50.01)), row[5]) for at, row in enumerate(ROWS)]
    assert len(read_candles(csv_bytes(rows, NAMES), "LTCUSD-1m.csv").candles) == 60
