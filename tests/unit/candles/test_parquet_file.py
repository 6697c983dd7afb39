import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.candles import arrow_table
from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.parquet_file import candles_from_parquet, parquet_from_candles, parts_from_parquet
from coinfarm.errors import CandleError, TooLarge
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

CANDLES = minutes(30)


def parquet_of(**changed: Any) -> bytes:
    """Two valid candles in a Parquet file, with some columns changed; None leaves one out."""
    valid = {"open_time": [START_MS, START_MS + MINUTE_MS], **{name: [1.0, 1.0] for name in CANDLE_COLUMNS[1:]}}
    columns = {name: column for name, column in (valid | changed).items() if column is not None}
    return parquet_of_table(pa.table(columns))


def parquet_of_table(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


TWICE = pa.table([[START_MS], *[[1.0]] * 6], names=["open_time", "open", "open", "high", "low", "close", "volume"])
WITHOUT_CANDLES = pa.table({name: pa.array([], pa.int64()) for name in CANDLE_COLUMNS})
LATIN_1 = parquet_of(cl_se=[1.0, 1.0]).replace(b"cl_se", b"cl\xf6se")


@pytest.mark.parametrize(
    ("data", "pointer", "named"),
    [
        pytest.param(b"", "", "", id="empty"),
        pytest.param(b"PAR1 and nothing else PAR1", "", "", id="no footer"),
        pytest.param(parquet_from_candles(CANDLES)[:-30], "", "", id="cut short"),
        pytest.param(LATIN_1, "", "", id="Latin-1"),
        pytest.param(parquet_of(close=None), "", "no .*close.*open_time, open, high, low, volume", id="missing column"),
        pytest.param(parquet_of_table(TWICE), "", "2 .*open", id="column twice"),
        pytest.param(parquet_of(low=[1.0, None]), "/candles/1/low", "", id="null price"),
        pytest.param(parquet_of(open_time=[None, START_MS]), "/candles/0/open_time", "", id="null time"),
        pytest.param(parquet_of(open=["1", "1"]), "/open", "string", id="prices as strings"),
        pytest.param(parquet_of(open=[True, True]), "/open", "bool", id="prices as booleans"),
        pytest.param(parquet_of(open_time=[1.5e12, 1.6e12]), "/open_time", "double", id="fractional times"),
        pytest.param(parquet_of(open_time=np.array([START_MS] * 2, "datetime64[ms]")), "/open_time", "timestamp", id="times as timestamps"),
        pytest.param(parquet_of(open_time=np.array([2**64 - 1] * 2, np.uint64)), "/candles/0/openTime", "", id="huge times"),
        pytest.param(parquet_of_table(WITHOUT_CANDLES), "", "", id="no candle"),
        pytest.param(parquet_of(close=[1.0, 2.0]), "/candles/1/high", "", id="invalid candle"),
    ],
)
def test_rejects_a_broken_file(data: bytes, pointer: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    for read in (
        lambda: candles_from_parquet(data, "BTCUSD", "1m"),
        lambda: list(parts_from_parquet(tmp_path / "file", "BTCUSD", "1m", 1)),
    ):
        with pytest.raises(CandleError) as raised:
            read()
        assert raised.value.errors[0].pointer == pointer
        assert re.search(named, raised.value.errors[0].detail)


def test_a_long_list_of_columns_is_cut() -> None:
    columns = {f"column {number}": [1.0] for number in range(1_000)}
    with pytest.raises(CandleError) as raised:
        candles_from_parquet(parquet_of_table(pa.table(columns)), "BTCUSD", "1m")
    assert 100 < len(str(raised.value)) < 400


def test_numbers_of_other_widths_are_converted() -> None:
    data = parquet_of(open=np.array([1, 1], np.float32), volume=np.array([3, 4], np.uint8))
    candles = candles_from_parquet(data, "BTCUSD", "1m")
    assert (candles.symbol, candles.interval) == ("BTCUSD", "1m")
    assert [column.dtype for column in candles.columns] == [np.float64] * 5
    assert candles.columns.volume.tolist() == [3, 4]


def test_rejects_too_many_rows_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_table, "MAX_CANDLES", 30)
    assert len(candles_from_parquet(parquet_from_candles(CANDLES), "DEMOUSD", "1m")) == 30
    monkeypatch.setattr(arrow_table, "MAX_CANDLES", 29)
    with pytest.raises(TooLarge, match=r"30 .* 29"):
        candles_from_parquet(parquet_from_candles(CANDLES), "DEMOUSD", "1m")


def test_candles_are_stored_compressed_with_zstd() -> None:
    column = pq.ParquetFile(io.BytesIO(parquet_from_candles(CANDLES))).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"


@pytest.mark.parametrize("at", [0, 3, 4, 6])
def test_an_error_in_a_part_is_counted_from_the_beginning_of_the_file(at: int, tmp_path: Path) -> None:
    count = 7
    high = np.where(np.arange(count) == at, 0.5, 1.0)
    columns = {"open_time": START_MS + MINUTE_MS * np.arange(count), **{name: np.ones(count) for name in CANDLE_COLUMNS[1:]}, "high": high}
    (tmp_path / "file").write_bytes(parquet_of_table(pa.table(columns)))
    reading = parts_from_parquet(tmp_path / "file", "BTCUSD", "1m", 2)
    assert [len(next(reading)) for _ in range(at // 2)] == [2] * (at // 2)
    with pytest.raises(CandleError) as raised:
        list(reading)
    assert {error.pointer for error in raised.value.errors} == {f"/candles/{at}/high"}


@pytest.mark.parametrize("step", [0, -1], ids=["the same time again", "an earlier time"])
def test_parts_must_follow_each_other(step: int, tmp_path: Path) -> None:
    times = START_MS + MINUTE_MS * np.array([3, 4, 4 + step, 5 + step])
    (tmp_path / "file").write_bytes(parquet_of_table(pa.table({"open_time": times, **{name: np.ones(4) for name in CANDLE_COLUMNS[1:]}})))
    reading = parts_from_parquet(tmp_path / "file", "BTCUSD", "1m", 2)
    assert next(reading).open_time.tolist() == times[:2].tolist()
    with pytest.raises(CandleError) as raised:
        next(reading)
    assert [error.pointer for error in raised.value.errors] == ["/candles/2/openTime"]
