"""Candle files of any format: which format and series a name stands for, and that no damage gets past the checks."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import MissingSeriesName, parse_candles, read_in_parts
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, hours, minutes

CANDLES = minutes(30, missing={4, 5})
Writer = Callable[[Candles], bytes]


def json_from(candles: Candles) -> bytes:
    return json.dumps(rows_from_candles(candles)).encode()


def csv_from(candles: Candles) -> bytes:
    rows = [CANDLE_COLUMNS, *rows_from_candles(candles)]
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


WRITERS: dict[str, Writer] = {"json": json_from, "csv": csv_from, "parquet": parquet_from_candles}
formats = pytest.mark.parametrize(("suffix", "write"), WRITERS.items(), ids=list(WRITERS))


@formats
def test_a_file_holds_candles_to_the_last_bit(suffix: str, write: Writer) -> None:
    assert_same_candles(parse_candles(write(CANDLES), f"DEMOUSD-1m.{suffix}"), CANDLES)


@formats
def test_a_period_excludes_its_end(suffix: str, write: Writer) -> None:
    start_ms, stop_ms = START_MS + 2 * MINUTE_MS, START_MS + 9 * MINUTE_MS
    found = parse_candles(write(CANDLES), f"DEMOUSD-1m.{suffix}", start_ms=start_ms, stop_ms=stop_ms)
    assert [(time - START_MS) // MINUTE_MS for time in found.open_time.tolist()] == [2, 3, 6, 7, 8]


@pytest.mark.parametrize(
    ("name", "symbol", "interval"),
    [
        pytest.param("BTCUSD-1m.json", "BTCUSD", "1m", id="plain"),
        pytest.param("klines-BTCUSD-15m.json", "BTCUSD", "15m", id="with a prefix"),
        pytest.param("my_klines-BTC-USD-1h.json", "BTCUSD", "1h", id="with a prefix and a symbol of two parts"),
        pytest.param("my_ethusd-1h.json", "ETHUSD", "1h", id="with an underscore"),
        pytest.param("btc-usdt-60m.json", "BTCUSDT", "1h", id="in lower case"),
        pytest.param("folder-5m/BTCUSD-1m.json", "BTCUSD", "1m", id="in a folder"),
        pytest.param("candles/symbol=BTC-USD/interval=1d/date=2019-05-14.json", "BTC-USD", "1d", id="in the store"),
        pytest.param("symbol=LTCUSD/interval=1m/part.json", "LTCUSD", "1m", id="at the root of the store"),
        pytest.param("BTCUSD-1m", "BTCUSD", "1m", id="without an extension"),
    ],
)
def test_the_name_gives_symbol_and_interval(name: str, symbol: str, interval: str) -> None:
    one_candle = json.dumps([[START_MS, 1, 1, 1, 1, 1]]).encode()
    candles = parse_candles(one_candle, name)
    assert (candles.symbol, candles.interval) == (symbol, interval)


@pytest.mark.parametrize("name", ["ETHUSD-1h.json", "candles.json", "BTCUSD-1m.txt"])
def test_arguments_outweigh_the_name(name: str) -> None:
    assert_same_candles(parse_candles(json_from(CANDLES), name, symbol="DEMOUSD", interval="1m"), CANDLES)


@pytest.mark.parametrize("name", ["candles.json", "1m.json", "-1m.json", "-"])
@pytest.mark.parametrize("given", [{}, {"interval": "1m"}], ids=["nothing", "interval"])
def test_candles_without_a_symbol_are_rejected(name: str, given: dict[str, str]) -> None:
    with pytest.raises(MissingSeriesName, match=name):
        parse_candles(json_from(CANDLES), name, **given)  # type: ignore[arg-type]


def test_the_interval_is_that_of_the_data_if_nothing_says_it() -> None:
    assert_same_candles(parse_candles(json_from(CANDLES), "candles.json", symbol="DEMO/USD"), CANDLES)
    with pytest.raises(CoinfarmError):
        parse_candles(json_from(CANDLES[:1]), "candles.json", symbol="DEMOUSD")


@pytest.mark.parametrize(("suffix", "lengths"), [("json", [28]), ("csv", [28]), ("parquet", [12, 12, 4])])
def test_only_parquet_is_read_in_parts(suffix: str, lengths: list[int], tmp_path: Path) -> None:
    path = tmp_path / f"DEMOUSD-1m.{suffix}"
    path.write_bytes(WRITERS[suffix](CANDLES))
    parts = list(read_in_parts(path, 12))
    assert [len(part) for part in parts] == lengths
    assert {(part.symbol, part.interval) for part in parts} == {("DEMOUSD", "1m")}
    assert_same_candles(Candles.concatenate("DEMOUSD", "1m", parts), CANDLES)


def test_a_file_read_in_parts_must_name_its_series(tmp_path: Path) -> None:
    (tmp_path / "candles.parquet").write_bytes(parquet_from_candles(CANDLES))
    with pytest.raises(MissingSeriesName, match=r"candles\.parquet"):
        list(read_in_parts(tmp_path / "candles.parquet", 12))


@pytest.mark.filterwarnings("ignore::coinfarm.errors.CandleWarning")
@formats
def test_no_damage_to_a_file_gets_past_the_checks(suffix: str, write: Writer) -> None:
    """Whatever a disk or a network does, the result is valid candles or a `CoinfarmError`."""
    random = np.random.default_rng(1)
    data = write(CANDLES)
    for _ in range(300):
        damaged = bytearray(data)
        for at in random.integers(len(data), size=3):
            damaged[at] = random.integers(256)
        try:
            found = parse_candles(bytes(damaged), f"DEMOUSD-1m.{suffix}")
        except CoinfarmError:
            continue
        Candles.checked(found.symbol, found.interval, found.open_time, found.columns)


@pytest.mark.parametrize("name", ["DEMO-USD-60m", "DEMO_USD-1h", "demousd-1H", "DEMOUSD-1H", "demo-usd-1h"])
def test_every_spelling_in_a_name_is_one_series(name):
    candles = parse_candles(parquet_from_candles(hours(1)), f"{name}.parquet")
    assert (candles.symbol, candles.interval) == ("DEMOUSD", "1h")


@pytest.mark.parametrize("name", ["DEMOUSD-1M", "demousd-1M", "DEMOUSD-1w"])
def test_a_month_is_not_a_minute(name):
    with pytest.raises(CoinfarmError):
        parse_candles(parquet_from_candles(minutes(10)), f"{name}.parquet")
