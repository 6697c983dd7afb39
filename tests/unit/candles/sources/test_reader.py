"""What a reader must not believe, one changed file of sixty candles each."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from coinfarm.candles.files import read_candles
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CandleError, CoinfarmError
from tests.support.layout_rows import ROWS, START_MS, TRUTH, Row, csv_bytes, each, json_bytes

NAMES = "open_time,open,high,low,close,volume"
KLINE = f"{NAMES},close_time,quote_volume,count,a,b,ignore"
STANDARD = [(row.time, *row.ohlcv) for row in ROWS]


def with_step(step_ms: int) -> list[tuple[Any, ...]]:
    return [(START_MS + at * step_ms, *row.ohlcv) for at, row in enumerate(ROWS)]


def changed(at: int, field: int, value: Any) -> list[tuple[Any, ...]]:
    return [(*row[:field], value, *row[field + 1 :]) if number == at else row for number, row in enumerate(STANDARD)]


def two_coins() -> list[tuple[Any, ...]]:
    return [values for row in ROWS for values in ((row.time, *row.ohlcv), (row.time, *(price / 3 for price in row.ohlcv[:4]), 5))]


def contracts(row: Row) -> tuple[Any, ...]:
    return row.time, *row.ohlcv[:4], row.volume * 1000, row.close_time, row.quote, 3, 0, 0, 0


@pytest.mark.parametrize(
    ("data", "name", "named"),
    [
        pytest.param(csv_bytes(with_step(600_000), NAMES), "BTCUSDT-5m.csv", "10m candles, not 5m", id="10m as 5m"),
        pytest.param(csv_bytes(STANDARD, NAMES), "BTCUSDT-5m.csv", "1m candles, not 5m", id="1m as 5m"),
        pytest.param(
            csv_bytes([*STANDARD, (START_MS - 10**11, *STANDARD[0][1:])], NAMES), "BTCUSDT-1m.csv", "line 62: 2020", id="stray row"
        ),
        pytest.param(csv_bytes(two_coins(), NAMES), "BTCUSDT-1m.csv", "line 2 .* line 3 .*two coins", id="two coins"),
        pytest.param(csv_bytes(each(contracts)), "BTCUSDT-1m.csv", "0.001 coins each", id="contracts of a thousandth"),
        pytest.param(csv_bytes(STANDARD), "BTCUSD_PERP-1m-2024-01.csv", "coin-margined", id="contracts without their coins"),
        pytest.param(
            csv_bytes(each(lambda row: (row.time, *row.ohlcv[:4], row.vwap))), "BTCUSDT-1m.csv", "as a price does", id="price as volume"
        ),
        pytest.param(
            csv_bytes(each(lambda row: (row.time, row.close, row.high, row.low, row.open, row.volume)), NAMES),
            "BTCUSDT-1m.csv",
            "exchanged",
            id="open and close exchanged",
        ),
        pytest.param(csv_bytes(STANDARD, NAMES), "BTCUSDT-1m-markPriceKlines.csv", "markPriceKlines", id="mark prices by name"),
        pytest.param(
            json_bytes({"symbol": "ETHUSDT", "candles": STANDARD}), "BTCUSDT-1m.json", "ETHUSDT, not of BTCUSDT", id="another coin"
        ),
        pytest.param(csv_bytes([row[:5] for row in STANDARD], NAMES[:-7]), "BTCUSDT-1m.csv", "no column volume", id="no volume"),
        pytest.param(csv_bytes(changed(5, 3, "n/d"), NAMES), "BTCUSDT-1m.csv", "line 7: low .*'n/d'", id="a word for a price"),
        pytest.param(csv_bytes(changed(5, 3, -1), NAMES), "BTCUSDT-1m.csv", "line 7: the low .* -1", id="a negative price"),
        pytest.param(csv_bytes(changed(5, 3, ""), NAMES), "BTCUSDT-1m.csv", "line 7: the low is missing", id="a missing price"),
        pytest.param(
            csv_bytes(changed(5, 0, 45293.5), NAMES), "BTCUSDT-1m.csv", "line 7: 45293.5 is not a time", id="a serial number as time"
        ),
        pytest.param(
            csv_bytes(each(lambda row: (row.time, *row.ohlcv, row.time - 1)), f"{NAMES},close_time"),
            "BTCUSDT-1m.csv",
            "not after",
            id="close before open",
        ),
        pytest.param(csv_bytes(STANDARD, NAMES.replace("high", "low")), "BTCUSDT-1m.csv", "2 columns low", id="a name twice"),
        pytest.param(
            csv_bytes([(time, "1,234", *rest) for time, _, *rest in STANDARD], NAMES.replace(",", ";"), ";"),
            "BTCUSDT-1m.csv",
            "comma",
            id="1,234",
        ),
    ],
)
def test_is_rejected_with_a_diagnosis(data: bytes, name: str, named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        read_candles(data, name)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (KLINE, "not the number of contracts"),
        (None, "not the number of contracts"),
        (KLINE.replace("quote_volume", "base_asset_volume"), None),
    ],
)
def test_coin_margined_volumes_are_those_in_coins(header: str | None, named: str | None) -> None:
    rows = each(lambda row: (row.time, *row.ohlcv[:4], row.volume * row.vwap / 100, row.close_time, row.volume, 3, 0, 0, 0))
    reading = read_candles(csv_bytes(rows, header), "BTCUSD_PERP-1m-2024-01.csv")
    np.testing.assert_allclose(reading.candles.columns.volume, TRUTH.columns.volume)
    assert named is None or any(named in note for note in reading.notes)


def test_a_few_candles_off_the_grid_are_dropped() -> None:
    rows = [(row[0] + (14_000 if at in (20, 21) else 0), *row[1:]) for at, row in enumerate(STANDARD)]
    reading = read_candles(csv_bytes(rows, NAMES), "BTCUSDT-1m.csv")
    assert len(reading.candles) == 58
    assert any("2 candles" in note for note in reading.notes)
    with pytest.raises(CandleError):
        read_candles(csv_bytes([(row[0] + 14_000, *row[1:]) for row in STANDARD], NAMES), "BTCUSDT-1m.csv")


def test_the_last_candle_is_dropped_until_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = csv_bytes(STANDARD, NAMES)
    for seconds, count in ((ROWS[-1].seconds + 30, 59), (ROWS[-1].seconds + 60, 60), (ROWS[0].seconds - 60, 60)):
        monkeypatch.setattr("time.time", lambda now=seconds: now)
        assert len(read_candles(data, "BTCUSDT-1m.csv").candles) == count


def local_hours(start: datetime, write: Callable[[datetime], Any]) -> tuple[bytes, Any]:
    """Twenty days of hours, with times of New York."""
    candles = generate("DEMOUSD", "1h", round(start.timestamp() * 1000), 480, 1)
    times = [write(datetime.fromtimestamp(time / 1000, ZoneInfo("America/New_York"))) for time in candles.open_time.tolist()]
    rows = list(zip(times, *(column.tolist() for column in candles.columns), strict=True))
    return csv_bytes(rows, NAMES), candles


@pytest.mark.parametrize("start", [datetime(2024, 3, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)], ids=["spring", "autumn"])
def test_local_times_need_their_zone(start: datetime) -> None:
    data, candles = local_hours(start, lambda time: time.strftime("%Y-%m-%d %H:%M:%S"))
    with pytest.raises(CandleError, match="--timezone"):
        read_candles(data, "DEMOUSD-1h.csv")
    found = read_candles(data, "DEMOUSD-1h.csv", timezone="America/New_York").candles
    np.testing.assert_array_equal(found.open_time, candles.open_time)


def test_local_times_as_numbers_are_found_out() -> None:
    data, _ = local_hours(datetime(2024, 3, 1, tzinfo=UTC), lambda time: round(time.replace(tzinfo=UTC).timestamp()))
    with pytest.raises(CandleError, match="clocks are set forward"):
        read_candles(data, "DEMOUSD-1h.csv")
    with pytest.raises(CandleError, match="UTC already"):
        read_candles(data, "DEMOUSD-1h.csv", timezone="America/New_York")


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("+02:00", -2), ("America/New_York+7", -2), ("Asia/Tokyo", -9)])
def test_zones_are_names_or_offsets(zone: str, hours: int) -> None:
    data = csv_bytes(each(lambda row: (row.text(), *row.ohlcv)), "date" + NAMES[9:])
    found = read_candles(data, "BTCUSDT-1m.csv", timezone=zone).candles
    np.testing.assert_array_equal(found.open_time, TRUTH.open_time + hours * 3_600_000)
    with pytest.raises(CoinfarmError, match="Nowhere"):
        read_candles(data, "BTCUSDT-1m.csv", timezone="Nowhere")


@pytest.mark.parametrize(
    ("header", "write", "is_noted"),
    [
        ("date", lambda row: row.text(), True),
        ("Gmt time", lambda row: row.text(), False),
        ("date", lambda row: row.text("%Y-%m-%dT%H:%M:%SZ"), False),
        ("date", lambda row: row.time, False),
    ],
)
def test_times_without_a_zone_are_noted(header: str, write: Callable[[Row], Any], is_noted: bool) -> None:
    reading = read_candles(csv_bytes(each(lambda row: (write(row), *row.ohlcv)), header + NAMES[9:]), "BTCUSDT-1m.csv")
    np.testing.assert_array_equal(reading.candles.open_time, TRUTH.open_time)
    assert any("UTC" in note for note in reading.notes) == is_noted
