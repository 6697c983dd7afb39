"""Candle files that expand to more than the memory or name paths outside are rejected (archives of frames: tests/unit/serving)."""

import json
import stat
import zipfile
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.files import parse_candles
from coinfarm.errors import CandleError, CoinfarmError, TooLarge
from coinfarm.storage import open_storage
from handler import app
from tests.support.damaged_copies import damaged_copies
from tests.support.demo_requests import START_MS, failed_ids, message, queue_event

LINK = (stat.S_IFLNK | 0o777) << 16


def parquet(count, **columns):
    """A Parquet file of `count` candles, with some columns replaced, without a stored schema."""
    table = {"open_time": np.full(count, START_MS), **dict.fromkeys(CANDLE_COLUMNS[1:], np.ones(count)), **columns}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(table), sink, compression="zstd", store_schema=False)
    return sink.getvalue().to_pybytes()


def long_words(count):
    """A dictionary column with one word of 20 KB in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["x" * 20_000]))


def long_bytes(count, kind=None):
    """A dictionary column with a megabyte in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([b"x" * (1 << 20)], kind))


FILES = {
    "too many rows": (lambda: parquet(10_000_001), "parquet", TooLarge, "10,000,001"),
    "a time that is a long word": (lambda: parquet(9, open_time=long_words(9)), "parquet", CandleError, "is not a time"),
    "prices of a megabyte each": (lambda: parquet(1000, open=long_bytes(1000)), "parquet", CandleError, "no column open"),
    "prices of a fixed megabyte each": (
        lambda: parquet(1000, open=long_bytes(1000, pa.binary(1 << 20))),
        "parquet",
        CandleError,
        "no column open",
    ),
    "prices that are lists": (lambda: parquet(9, low=pa.array([[0.0] * 1000] * 9)), "parquet", CandleError, "no column low"),
    "a CSV file of too many rows": (lambda: b"open_time\n" + b"1\n" * 10_000_001, "csv", TooLarge, "10,000,002"),
    "a CSV file of one endless line": (lambda: b"open_time," + b"1," * 5_000_000, "csv", CandleError, None),
    "deeply nested JSON": (lambda: b"[" * 1_000_000, "json", CandleError, None),
}


@pytest.mark.parametrize(("make", "ending", "error", "named"), [pytest.param(*case, id=name) for name, case in FILES.items()])
def test_rejects_candle_files_that_would_fill_the_memory(limit_memory, make, ending, error, named):
    data = make()
    with limit_memory(60), pytest.raises(error, match=named):
        parse_candles(data, f"DEMOUSD-1m.{ending}")


def test_measures_a_feather_file_before_it_is_unpacked(limit_memory):
    sink = pa.BufferOutputStream()
    table = pa.table({"open_time": np.zeros(100_000_000, np.int8)})
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
        file.write_table(table)
    data = sink.getvalue().to_pybytes()
    assert len(data) < 20_000
    with limit_memory(30), pytest.raises(TooLarge, match="unpacks"):
        parse_candles(data, "DEMOUSD-1m.feather", max_unpacked_bytes=25_000_000)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e300, 5e-324, -0.0], ids=str)
@pytest.mark.parametrize("field", ["low", "volume"])
def test_rejects_invalid_numbers_in_files(field, value, ending):
    columns = {"open_time": START_MS + 60_000 * np.arange(3), **dict.fromkeys(CANDLE_COLUMNS[1:], np.ones(3))}
    columns[field] = np.array([1.0, value, 1.0])
    rows = np.stack(list(columns.values()), axis=1).tolist()
    csv = "\n".join([",".join(CANDLE_COLUMNS), *(f"{int(row[0])}," + ",".join(map(repr, row[1:])) for row in rows)]).encode()
    data = csv if ending == "csv" else parquet(3, **columns)
    if field == "volume" and 0 <= value < 1:
        assert len(parse_candles(data, f"DEMOUSD-1m.{ending}")) == 3
        return
    with pytest.raises(CandleError, match=f"(row 1|line 3): the ({field}|high|low) "):
        parse_candles(data, f"DEMOUSD-1m.{ending}")


def test_json_files_have_an_eighth_of_the_size_limit(invoke, folder, monkeypatch, caplog):
    """A bracket takes one byte on disk, and 64 in memory."""
    monkeypatch.setenv("MAX_CANDLE_FILE_BYTES", "8000")
    app.service.cache_clear()
    (folder / "candles").mkdir()
    (folder / "candles/A-1m.json").write_bytes(b"[" + b"[]," * 400 + b"[]]")
    event = queue_event({"symbol": "A", "interval": "1m", "candlesUri": "A-1m.json", "resultsUri": "a.json"}, message("good"))
    assert failed_ids(invoke(event)) == [event["Records"][0]["messageId"]]
    assert any("1,000 bytes" in str(vars(record).get("problem", "")) for record in caplog.records)


def test_does_not_read_a_huge_file_in_place_of_the_result(invoke, folder, limit_memory):
    (folder / "results").mkdir()
    with (folder / "results/a.json").open("wb") as file:
        file.truncate(1 << 30)
    with limit_memory(200):
        assert invoke(queue_event(message("a"))) == {"batchItemFailures": []}
    assert json.loads((folder / "results/a.json").read_text())["results"]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("../../evil.csv", 0), ("/etc/cron.d/evil.csv", 0), ("BTCUSDT-1m-2024-01.csv", LINK), ("a\\..\\evil.csv", 0)],
    ids=["up", "absolute", "a link", "backslashes"],
)
def test_archives_of_candles_write_only_days(folder, name, attributes):
    member = zipfile.ZipInfo(name)
    member.external_attr = attributes
    path = folder / "place/in/BTCUSDT-1m-2024-01.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd" if attributes else f"{1_704_067_200_000},1,2,0.5,1.5,9\n")
    outcome = import_file(CandleStore(open_storage(str(folder / "place/store"))), path)
    assert bool(outcome.rejected) == bool(attributes)
    written = [file.name[:5] for file in folder.glob("place/**/*") if file.is_file() and file != path]
    assert written == ([] if attributes else ["date="])


def test_damaged_parquet_files_do_not_fill_the_memory(limit_memory):
    data = parquet(50, open_time=START_MS + 60_000 * np.arange(50))
    with limit_memory(300):
        for damaged in damaged_copies(data, range(len(data) - 900, len(data))):
            with suppress(CoinfarmError):
                assert len(parse_candles(damaged, "DEMOUSD-1m.parquet")) <= 50
