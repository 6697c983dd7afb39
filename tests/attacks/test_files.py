"""Files that expand to more than the memory, name paths outside, or contain code are rejected before they are unpacked."""

import io
import json
import stat
import zipfile
from pathlib import Path

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
from image_render.spec import STANDARD
from tests.support.demo_requests import START_MS, failed_ids, message, queue_event

FRAME = np.zeros((1, *STANDARD.shape), np.uint8)


def npy(array):
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array), allow_pickle=True)
    return sink.getvalue()


def zipped(members, **attributes):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = attributes.get(Path(name).stem, 0)
            archive.writestr(member, content)
    return sink.getvalue()


def header(text):
    """An array with this text as its header."""
    line = text.encode() + b"\n"
    return b"\x93NUMPY\x02\x00" + len(line).to_bytes(4, "little") + line


LINK = (stat.S_IFLNK | 0o777) << 16
ARCHIVES = {
    "a header of nested tuples": zipped({"frames.npy": header("(" * 3000)}),
    "a header of megabytes": zipped({"frames.npy": header("{" + " " * 10_000_000 + "}")}),
    "a shape of empty items": zipped(
        {"frames.npy": header("{'descr': '|V0', 'fortran_order': False, 'shape': (9999999999, 200, 150, 3)}")}
    ),
    "an archive in an archive": zipped({"frames.npz": zipped({"frames.npy": npy(FRAME)})}),
    "a link for frames": zipped({"frames.npy": b"/etc/passwd"}, frames=LINK),
    "a relative name outside": zipped({"../../frames.npy": npy(FRAME), "frames.npy": npy(FRAME)}),
    "a hundred thousand files": zipped({f"{number}": b"" for number in range(50_000)}),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in ARCHIVES.items()])
def test_rejects_malicious_archives_of_frames(send, limit_memory, data):
    with limit_memory(100):
        response = send("POST", "/predictions", data, "application/x-npz")
    assert response.status in (400, 413, 422)
    assert len(response.content) < 5_000


def parquet(count, **columns):
    """A Parquet file of `count` candles, with some columns replaced, without a stored schema."""
    table = {"open_time": np.full(count, START_MS), **{name: np.ones(count) for name in CANDLE_COLUMNS[1:]}, **columns}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(table), sink, compression="zstd", store_schema=False)
    return bytes(sink.getvalue().to_pybytes())


def long_words(count):
    """A dictionary column with one word of 20 KB in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["x" * 20_000]))


FILES = {
    "too many rows": (lambda: parquet(10_000_001), "parquet", TooLarge, "10,000,001"),
    "a time that is a long word": (lambda: parquet(9, open_time=long_words(9)), "parquet", CandleError, "/open_time: "),
    "prices that are lists": (lambda: parquet(9, low=pa.array([[0.0] * 1000] * 9)), "parquet", CandleError, "/low: "),
    "a CSV file of too many rows": (lambda: b"open_time\n" + b"1\n" * 10_000_001, "csv", TooLarge, "10,000,002"),
    "a CSV file of one endless line": (lambda: b"open_time," + b"1," * 5_000_000, "csv", CandleError, None),
    "deeply nested JSON": (lambda: b"[" * 1_000_000, "json", CandleError, None),
}


@pytest.mark.parametrize(("make", "ending", "error", "named"), [pytest.param(*case, id=name) for name, case in FILES.items()])
def test_rejects_candle_files_that_would_fill_the_memory(limit_memory, make, ending, error, named):
    data = make()
    with limit_memory(60), pytest.raises(error, match=named):
        parse_candles(data, f"DEMOUSD-1m.{ending}")


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
    with pytest.raises(CandleError, match=f"/candles/1/{field}: |/candles/1/(high|low): "):
        parse_candles(data, f"DEMOUSD-1m.{ending}")


def test_json_files_have_an_eighth_of_the_size_limit(invoke, folder, monkeypatch, caplog):
    """A bracket takes one byte on disk, and 64 in memory."""
    from handler import app

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
    random = np.random.default_rng(1)
    data = parquet(50, open_time=START_MS + 60_000 * np.arange(50))
    where = np.arange(len(data) - 900, len(data))
    with limit_memory(300):
        for _ in range(300):
            damaged = bytearray(data)
            for at in random.choice(where, size=3):
                damaged[at] = random.integers(256)
            try:
                assert len(parse_candles(bytes(damaged), "DEMOUSD-1m.parquet")) <= 50
            except CoinfarmError:
                continue
