"""Candles in files: JSON, CSV and Parquet, good and broken."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CandleError, CoinfarmError
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

CANDLES = minutes(30, missing={4, 5})


def json_from(candles: Candles) -> bytes:
    return json.dumps(rows_from_candles(candles)).encode()


def csv_from(candles: Candles) -> bytes:
    rows = [CANDLE_COLUMNS, *rows_from_candles(candles)]
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


WRITERS = [
    pytest.param("json", json_from, id="json"),
    pytest.param("csv", csv_from, id="csv"),
    pytest.param("parquet", parquet_from_candles, id="parquet"),
]
Writer = Callable[[Candles], bytes]


@pytest.mark.parametrize(("ending", "write"), WRITERS)
def test_candles_survive_in_a_file_to_the_last_bit(ending: str, write: Writer) -> None:
    assert_same_candles(parse_candles(write(CANDLES), f"DEMOUSD-1m.{ending}"), CANDLES)


@pytest.mark.parametrize(("ending", "write"), WRITERS)
def test_a_stretch_is_cut_out_its_end_excluded(ending: str, write: Writer) -> None:
    start_ms, stop_ms = START_MS + 2 * MINUTE_MS, START_MS + 9 * MINUTE_MS
    found = parse_candles(write(CANDLES), f"DEMOUSD-1m.{ending}", start_ms=start_ms, stop_ms=stop_ms)
    assert [(time - START_MS) // MINUTE_MS for time in found.open_time.tolist()] == [2, 3, 6, 7, 8]


@pytest.mark.parametrize(
    ("name", "symbol", "interval"),
    [
        pytest.param("BTCUSD-1m.json", "BTCUSD", "1m", id="plain"),
        pytest.param("klines-BTCUSD-15m.json", "BTCUSD", "15m", id="with a prefix"),
        pytest.param("my_klines-BTC-USD-1h.json", "BTC-USD", "1h", id="with a prefix and a symbol of two parts"),
        pytest.param("my_ethusd-1h.json", "ethusd", "1h", id="with an underscore"),
        pytest.param("folder-5m/BTCUSD-1m.json", "BTCUSD", "1m", id="in a folder"),
        pytest.param("candles/symbol=BTC-USD/interval=1d/date=2019-05-14.json", "BTC-USD", "1d", id="in the store"),
        pytest.param("symbol=LTCUSD/interval=1m/part.json", "LTCUSD", "1m", id="at the root of the store"),
    ],
)
def test_the_name_tells_symbol_and_interval(name: str, symbol: str, interval: str) -> None:
    one_candle = json.dumps([[START_MS, 1, 1, 1, 1, 1]]).encode()
    candles = parse_candles(one_candle, name)
    assert (candles.symbol, candles.interval) == (symbol, interval)


def test_what_is_said_outweighs_the_name() -> None:
    candles = parse_candles(json_from(CANDLES), "ETHUSD-1h.json", symbol="DEMOUSD", interval="1m")
    assert_same_candles(candles, CANDLES)


@pytest.mark.parametrize(
    "name", ["candles.json", "BTCUSD.json", "BTCUSD-1.json", "1m.json", "-1m.json", "BTCUSD-1m", "symbol=A/interval=1m"]
)
@pytest.mark.parametrize("said", [{}, {"symbol": "BTCUSD"}], ids=["nothing said", "only the symbol said"])
def test_a_name_that_does_not_tell_asks_for_symbol_and_interval(name: str, said: dict[str, str]) -> None:
    with pytest.raises(CoinfarmError, match=r"the name does not tell symbol and interval: rename it"):
        parse_candles(b"[]", name, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["txt", "pkl", "gz", "csv.gz"])
def test_another_ending_is_refused(ending: str) -> None:
    with pytest.raises(CoinfarmError, match=r"BTCUSD-1m\..*: candles are read from \.json, \.csv and \.parquet files"):
        parse_candles(b"", f"BTCUSD-1m.{ending}")


HEADER = ",".join(CANDLE_COLUMNS)


def csv_of(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in (HEADER, *lines)).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is not a CSV file of candles: Empty CSV file", id="empty"),
        pytest.param(csv_of(), "there is no candle", id="header only"),
        pytest.param(csv_of(f"{START_MS},1,1,1"), "is not a CSV file of candles: .*Expected 6 columns, got 4", id="short line"),
        pytest.param(csv_of(f"{START_MS},1,1,1,one,1"), "is not a CSV file of candles: .*invalid value 'one'", id="a word for a price"),
        pytest.param(csv_of(f"{START_MS}.5,1,1,1,1,1"), "is not a CSV file of candles: .*int64", id="fraction of a millisecond"),
        pytest.param(csv_of("2020-01-01,1,1,1,1,1"), "is not a CSV file of candles: .*int64", id="a date for a time"),
        pytest.param(csv_of(f"{START_MS},1,1,1,1,1", f"{START_MS + MINUTE_MS},1,1,,1,1"), "/candles/1/low: is missing", id="empty cell"),
        pytest.param(csv_of(f"{START_MS},1,1,1,1,1", ",1,1,1,1,1"), "/candles/1/open_time: is missing", id="no time"),
        pytest.param(f"{START_MS},1,1,1,1,1\n".encode(), "has no columns open_time; it must have open_time, open", id="no header"),
        pytest.param(csv_of().replace(b"close", b"last"), "has no columns close; it must have", id="other column name"),
        pytest.param(csv_of().replace(b"close", b"high"), "has 2 columns high; it must have", id="column twice"),
        pytest.param(csv_of().replace(b"close", b"cl\xf6se"), "has a column whose name is no text", id="Latin-1"),
        pytest.param(csv_of(f"{START_MS},1,1,2,1,1"), "/candles/0/high: is below the low", id="impossible candle"),
    ],
)
def test_a_broken_csv_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CandleError, match=message):
        parse_candles(data, "BTCUSD-1m.csv")


def test_columns_may_stand_in_any_order_beside_others() -> None:
    names = [*reversed(CANDLE_COLUMNS), "trades"]
    cells = {"open_time": START_MS, "open": 2, "high": 4, "low": 1, "close": 3, "volume": 5, "trades": "many"}
    data = f"{','.join(names)}\n{','.join(str(cells[name]) for name in names)}".encode()
    candles = parse_candles(data, "BTCUSD-1m.csv")
    assert [candles.open_time.tolist(), *(column.tolist() for column in candles.columns)] == [[START_MS], [2], [4], [1], [3], [5]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is not JSON", id="empty"),
        pytest.param(b"[[", "is not JSON", id="cut short"),
        pytest.param(b"\xff\xfe\x00", "is not JSON", id="no text"),
        pytest.param(b"[" * 100_000, "is not JSON", id="nested too deep"),
        pytest.param(b'{"candles": []}', "must be a JSON array of candles", id="an object"),
        pytest.param(b"null", "must be a JSON array of candles", id="null"),
        pytest.param(b"[]", "/candles: there is no candle", id="no candle"),
        pytest.param(b"[1]", "/candles/0: must be an array or an object", id="a number"),
    ],
)
def test_a_broken_json_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CandleError, match=message):
        parse_candles(data, "BTCUSD-1m.json")


def parquet_of(**changed: Any) -> bytes:
    """Two good candles in a Parquet file, with some columns changed; None leaves one out."""
    good = {"open_time": [START_MS, START_MS + MINUTE_MS], **{name: [1.0, 1.0] for name in CANDLE_COLUMNS[1:]}}
    columns = {name: column for name, column in (good | changed).items() if column is not None}
    return parquet_of_table(pa.table(columns))


def parquet_of_table(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


TWICE = pa.table([[START_MS], *[[1.0]] * 6], names=["open_time", "open", "open", "high", "low", "close", "volume"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is not a Parquet file", id="empty"),
        pytest.param(b"PAR1 and nothing else PAR1", "is not a Parquet file", id="no footer"),
        pytest.param(parquet_from_candles(CANDLES)[:-30], "is not a Parquet file", id="cut short"),
        pytest.param(parquet_of(close=None), "has no columns close; it must have open_time, open", id="missing column"),
        pytest.param(parquet_of_table(TWICE), "has 2 columns open; it must have", id="column twice"),
        pytest.param(parquet_of(low=[1.0, None]), "/candles/1/low: is missing", id="null price"),
        pytest.param(parquet_of(open_time=[None, START_MS]), "/candles/0/open_time: is missing", id="null time"),
        pytest.param(parquet_of(open=["1", "1"]), "/open: must be a column of numbers, not of string", id="prices as strings"),
        pytest.param(parquet_of(open=[True, True]), "/open: must be a column of numbers, not of bool", id="prices as booleans"),
        pytest.param(
            parquet_of(open_time=[1.5e12, 1.6e12]), "/open_time: must be a column of numbers, not of double", id="fractional times"
        ),
        pytest.param(
            parquet_of(open_time=np.array([START_MS, START_MS + MINUTE_MS], "datetime64[ms]")),
            r"/open_time: must be a column of numbers, not of timestamp\[ms\]",
            id="times as timestamps",
        ),
        pytest.param(
            parquet_of(open_time=np.array([2**64 - 1] * 2, np.uint64)), "/candles/0/openTime: must be milliseconds", id="huge times"
        ),
        pytest.param(
            parquet_of_table(pa.table({name: pa.array([], pa.int64()) for name in CANDLE_COLUMNS})), "there is no candle", id="no candle"
        ),
        pytest.param(parquet_of(close=[1.0, 2.0]), "/candles/1/high: is below the close", id="impossible candle"),
    ],
)
def test_a_broken_parquet_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(CandleError, match=message):
        parse_candles(data, "BTCUSD-1m.parquet")


def test_numbers_of_other_widths_are_taken() -> None:
    data = parquet_of(open=np.array([1, 1], np.float32), volume=np.array([3, 4], np.uint8))
    candles = parse_candles(data, "BTCUSD-1m.parquet")
    assert [column.dtype for column in candles.columns] == [np.float64] * 5
    assert candles.columns.volume.tolist() == [3, 4]


def test_no_damage_to_a_file_gets_past_the_checks() -> None:
    """Whatever a disk or a network does, it is candles or a `CoinfarmError`."""
    random = np.random.default_rng(1)
    for ending, whole in (("parquet", parquet_from_candles(CANDLES)), ("csv", csv_from(CANDLES)), ("json", json_from(CANDLES))):
        for _ in range(300):
            damaged = bytearray(whole)
            for at in random.integers(len(whole), size=3):
                damaged[at] = random.integers(256)
            try:
                found = parse_candles(bytes(damaged), f"DEMOUSD-1m.{ending}")
            except CoinfarmError:
                continue
            Candles.checked(found.symbol, found.interval, found.open_time, found.columns)


def test_real_klines_are_1500_minutes_without_a_hole(real_klines: Candles) -> None:
    assert (real_klines.symbol, real_klines.interval, len(real_klines)) == ("BTCUSD", "1m", 1_500)
    assert set(np.diff(real_klines.open_time)) == {MINUTE_MS}
