"""Large files are imported in parts as at once, from files, archives, pipes and standard input."""

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candle_store import importing
from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles import large_files
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import read_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.storage import open_storage
from tests.support.candle_writers import closed_from, csv_rows, csv_text, feather_from, klines_from, with_dropped_rows_from
from tests.support.compressed_files import COMPRESSIONS, zip_of_one
from tests.support.synthetic_candles import assert_same_candles, minutes


def recorder(calls: list[tuple[int, int]]) -> Callable[[int, int], None]:
    return lambda done, total: calls.append((done, total))


def not_called(*_: object, **__: object) -> None:
    raise AssertionError


@pytest.mark.parametrize("name", ["DEMOUSD-1m", "-"])
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(parquet_from_candles, id="Parquet"),
        pytest.param(csv_text, id="CSV"),
        pytest.param(lambda candles: zip_of_one(csv_text(candles).encode()), id="zip"),
        pytest.param(closed_from, id="with a note"),
        pytest.param(with_dropped_rows_from, id="with rows that are dropped"),
    ],
)
def test_a_large_file_is_imported_in_parts_as_at_once(
    write: Callable[[Candles], bytes | str], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    candles = generate("DEMOUSD", "1m", START_OF_2026_MS + 7 * 3_600_000, 9000, seed=1)
    candles = Candles.concatenate("DEMOUSD", "1m", [candles[:3400], candles[3500:]])  # with a gap of more than an hour
    text = write(candles)
    data = text if isinstance(text, bytes) else text.encode()
    path = Path("-") if name == "-" else tmp_path / name
    (tmp_path / "DEMOUSD-1m").write_bytes(data)
    done: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    results, stored = [], []
    for in_parts, progress in done.items():
        monkeypatch.setattr(large_files, "_PART_BYTES", 100_000 if in_parts else 8 << 20)
        monkeypatch.setattr(large_files, "_PART_ROWS", 2000 if in_parts else 1 << 17)
        store = CandleStore(open_storage(str(tmp_path / str(in_parts))))
        monkeypatch.setattr(importing, "read_candles", not_called if in_parts else read_candles)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        results.append(import_file(store, path, symbol="DEMOUSD", progress=recorder(progress)).document())
        stored.append([(day.known, day.candles) for day in store.read_each_day("DEMOUSD", "1m", store.days("DEMOUSD", "1m"))])
    assert results[0] == results[1]
    assert results[0]["candles"] == len(candles)
    assert done[True] == done[False]
    for (known, part), (expected_known, expected) in zip(*stored, strict=True):
        np.testing.assert_array_equal(known, expected_known)
        assert_same_candles(part, expected)


@pytest.mark.parametrize("compress", [bytes, *COMPRESSIONS.values()], ids=["plain", *COMPRESSIONS])
@pytest.mark.parametrize("write", [parquet_from_candles, feather_from, csv_rows, klines_from])
def test_standard_input_of_which_the_whole_is_needed_is_read_again(
    write: Callable[[Candles], bytes], compress: Callable[[bytes], bytes], store: CandleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_files, "_PART_BYTES", 20_000)
    monkeypatch.setattr(large_files, "_PART_ROWS", 1000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(compress(write(minutes(3000)[::-1])))))
    outcome = import_file(store, Path("-"), symbol="DEMOUSD")
    assert (outcome.candles, outcome.notes, outcome.rejected) == (3000, ("newest first: sorted",), [])


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_large_archive_file_covers_its_month(in_parts: bool, store: CandleStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(large_files, "_PART_BYTES", 100_000 if in_parts else 8 << 20)
    monkeypatch.setattr(importing, "read_candles", not_called if in_parts else read_candles)
    candles = minutes(6000, missing=range(1500))
    data = zip_of_one(csv_text(candles, twelve=True).encode())
    month, day = tmp_path / "DEMOUSD-1m-2020-01.zip", tmp_path / "DEMOUSD-1m-2020-01-02.zip"
    for path in (month, day):
        path.write_bytes(data)
    assert import_file(store, month).rejected == []
    days = store.days("DEMOUSD", "1m")
    assert store.complete_days("DEMOUSD", "1m", days) == set(days)
    (rejected,) = import_file(store, day).rejected
    assert "2020-01-05 03:59" in rejected


def test_a_pipe_is_read_once(store: CandleStore, tmp_path: Path) -> None:
    path = tmp_path / "DEMOUSD-1m.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=[csv_text(minutes(3 * 1440))])
    writer.start()
    assert import_file(store, path).days == {WriteOutcome.NEW: 3}
    writer.join()
