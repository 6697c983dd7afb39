"""Large files in parts: the same candles as at once, and any file with something to say of it is read at once."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles import large_files
from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import read_candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.large_files import MustBeReadAtOnce, PartReader
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from tests.support.synthetic_candles import assert_same_candles

CANDLES = generate("DEMOUSD", "1m", START_OF_2026_MS, 12_000, seed=1)
PART_ROWS = 2000
Writer = Callable[[Candles], bytes]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "_PART_BYTES", 150_000)
    monkeypatch.setattr(large_files, "_PART_ROWS", PART_ROWS)


def csv_rows(candles: Candles, start: str = "") -> bytes:
    return (start + "".join(",".join(map(str, row)) + "\n" for row in rows_from_candles(candles))).encode()


def csv_from(candles: Candles) -> bytes:
    return csv_rows(candles, "# from an exchange\n" + ",".join(CANDLE_COLUMNS) + "\n")


def klines_from(candles: Candles) -> bytes:
    rows = [[row[0], *map(str, row[1:]), int(row[0]) + 59_999, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]
    return json.dumps(rows, indent=1).encode()


def objects_from(candles: Candles) -> bytes:
    return json.dumps([dict(zip(CANDLE_COLUMNS, row, strict=True)) for row in rows_from_candles(candles)]).encode()


def parts_of(data: bytes, folder: Path) -> list[Candles]:
    path = folder / "DEMOUSD-1m"
    path.write_bytes(data)
    return [part.candles for part in PartReader().read(path)]


@pytest.mark.parametrize("write", [parquet_from_candles, csv_from, csv_rows, klines_from, objects_from])
def test_parts_are_the_candles_of_the_file(write: Writer, tmp_path: Path) -> None:
    """With a gap inside of a part, which is no note of the reader."""
    candles = Candles.concatenate("DEMOUSD", "1m", [CANDLES[:500], CANDLES[800:]])
    data = write(candles)
    parts = parts_of(data, tmp_path)
    assert len(parts) >= 3
    assert max(map(len, parts)) < len(candles) / 2
    assert_same_candles(Candles.concatenate("DEMOUSD", "1m", parts), read_candles(data, "DEMOUSD-1m").candles)


def joined(*parts: Candles) -> Candles:
    return Candles.concatenate("DEMOUSD", "1m", parts)


def shifted(candles: Candles, minutes: int) -> Candles:
    return replace(candles, open_time=candles.open_time + minutes * 60_000)


def times(candles: Candles, factor: float) -> Candles:
    columns = candles.columns
    return replace(candles, columns=columns._replace(**{name: getattr(columns, name) * factor for name in columns._fields[:4]}))


FAULTY = {
    "small": CANDLES[: 2 * PART_ROWS],
    "newest first": CANDLES[::-1],
    "a duplicate": joined(CANDLES[:700], CANDLES[699:]),
    "parts exchanged": joined(CANDLES[PART_ROWS:], CANDLES[:PART_ROWS]),
    "hours missing at a border": joined(CANDLES[: 3 * PART_ROWS], shifted(CANDLES[3 * PART_ROWS :], 120)),
    "another coin after a border": joined(CANDLES[: 3 * PART_ROWS], times(CANDLES[3 * PART_ROWS :], 3)),
    "a bad tick": joined(CANDLES[:700], times(CANDLES[700:701], 1000), CANDLES[701:]),
    "a stray row": joined(CANDLES[:-1], shifted(CANDLES[-1:], 1_000_000)),
}


@pytest.mark.parametrize("name", FAULTY)
def test_candles_with_something_to_say_of_them_are_read_at_once(name: str, tmp_path: Path) -> None:
    with pytest.raises(MustBeReadAtOnce):
        parts_of(parquet_from_candles(FAULTY[name]), tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gzip.compress(csv_from(CANDLES), 0), id="compressed"),
        pytest.param(csv_from(CANDLES).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(csv_from(CANDLES).replace(b"0\n", b'"0"\n'), id="quotes"),
        pytest.param(csv_from(CANDLES)[:-20], id="CSV that was cut off"),
        pytest.param(klines_from(CANDLES)[:-20], id="JSON that was cut off"),
        pytest.param(objects_from(CANDLES).replace(b"}, {", b"} {"), id="JSON without commas"),
        pytest.param(objects_from(CANDLES)[1:-1].replace(b"}, {", b"}\n{"), id="JSON lines"),
        pytest.param(b'{"candles": ' + klines_from(CANDLES) + b"}", id="rows inside of an object"),
        pytest.param(parquet_from_candles(CANDLES)[:-20], id="Parquet that was cut off"),
        pytest.param(csv_from(CANDLES).replace(b"open_time", b"symbol"), id="no times"),
    ],
)
def test_other_files_are_read_at_once(data: bytes, tmp_path: Path) -> None:
    assert len(data) > 250_000
    with pytest.raises(MustBeReadAtOnce):
        parts_of(data, tmp_path)


def test_too_many_candles_are_left_to_the_reader_of_whole_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(large_files, "MAX_CANDLES", len(CANDLES) - 1)
    with pytest.raises(MustBeReadAtOnce):
        parts_of(parquet_from_candles(CANDLES), tmp_path)


def test_a_column_of_text_in_parquet_is_read_at_once(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = dict(zip(CANDLE_COLUMNS, (CANDLES.open_time, *CANDLES.columns), strict=True))
    path = tmp_path / "DEMOUSD-1m.parquet"
    pq.write_table(pa.table({"symbol": np.full(len(CANDLES), "DEMOUSD"), **columns}), path)
    with pytest.raises(MustBeReadAtOnce):
        list(PartReader().read(path))
