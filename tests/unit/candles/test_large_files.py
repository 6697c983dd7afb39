"""Large files in parts: the same candles as at once, and any file with something to say of it is read at once."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coinfarm.candles import large_files
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import MissingSeriesName, read_candles
from coinfarm.candles.large_files import MustBeReadAtOnce, PartReader
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.sources.cleaning import DroppedRows
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.errors import CandleError, TooLarge
from tests.support.candle_writers import (
    closed_from,
    csv_from,
    csv_rows,
    feather_from,
    klines_from,
    lines_of_arrays_from,
    lines_of_objects_from,
    local_times_from,
    objects_from,
    texts_in_parquet_from,
    utf_16_from,
    with_dropped_rows_from,
)
from tests.support.compressed_files import COMPRESSIONS, gzipped, zip_of_one, zipped
from tests.support.synthetic_candles import assert_same_candles

CANDLES = generate("DEMOUSD", "1m", START_OF_2026_MS, 12_000, seed=1)
PART_ROWS = 2000
Writer = Callable[[Candles], bytes]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "_PART_BYTES", 150_000)
    monkeypatch.setattr(large_files, "_PART_ROWS", PART_ROWS)


def parts_of(data: bytes, folder: Path) -> list[Candles]:
    path = folder / "DEMOUSD-1m"
    path.write_bytes(data)
    with path.open("rb") as file:
        return [part.candles for part in PartReader().read(file, path.name)]


@pytest.mark.parametrize(
    "write",
    [
        parquet_from_candles,
        texts_in_parquet_from,
        feather_from,
        csv_from,
        csv_rows,
        utf_16_from,
        klines_from,
        objects_from,
        lines_of_arrays_from,
        lines_of_objects_from,
    ],
)
def test_parts_are_the_candles_of_the_file(write: Writer, tmp_path: Path) -> None:
    """With a gap inside of a part, which is no note of the reader."""
    candles = Candles.concatenate("DEMOUSD", "1m", [CANDLES[:500], CANDLES[800:]])
    data = write(candles)
    parts = parts_of(data, tmp_path)
    assert len(parts) >= 3
    assert max(map(len, parts)) < len(candles) / 2
    assert_same_candles(Candles.concatenate("DEMOUSD", "1m", parts), read_candles(data, "DEMOUSD-1m").candles)


@pytest.mark.parametrize("write", [local_times_from, closed_from])
def test_notes_on_how_all_candles_are_read_are_those_of_each_part(write: Writer, tmp_path: Path) -> None:
    data = write(CANDLES)
    (tmp_path / "DEMOUSD-1m").write_bytes(data)
    with (tmp_path / "DEMOUSD-1m").open("rb") as file:
        parts = list(PartReader().read(file, "DEMOUSD-1m"))
    at_once = read_candles(data, "DEMOUSD-1m")
    assert {part.notes for part in parts} == {at_once.notes}
    assert len(at_once.notes) == 1
    assert_same_candles(joined(*(part.candles for part in parts)), at_once.candles)


def test_dropped_rows_are_counted(tmp_path: Path) -> None:
    data = with_dropped_rows_from(CANDLES)
    (tmp_path / "DEMOUSD-1m").write_bytes(data)
    with (tmp_path / "DEMOUSD-1m").open("rb") as file:
        parts = list(PartReader().read(file, "DEMOUSD-1m"))
    at_once = read_candles(data, "DEMOUSD-1m")
    dropped = sum((part.dropped for part in parts), DroppedRows())
    assert dropped == at_once.dropped == DroppedRows(0, 1, 2, 1, "2026-01-06 13:18:07")
    assert dropped.notes() == list(at_once.notes)
    assert_same_candles(joined(*(part.candles for part in parts)), at_once.candles)


@pytest.mark.parametrize(
    ("write", "compress"),
    [(csv_from, compress) for compress in COMPRESSIONS.values()]
    + [(write, zip_of_one) for write in (parquet_from_candles, utf_16_from, klines_from, lines_of_objects_from)],
)
def test_parts_of_a_compressed_file_are_the_candles_of_the_file(
    write: Writer, compress: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = compress(write(CANDLES))
    parts = parts_of(data, tmp_path)
    assert len(parts) >= 3
    assert_same_candles(Candles.concatenate("DEMOUSD", "1m", parts), read_candles(data, "DEMOUSD-1m").candles)
    assert [path.name for path in tmp_path.iterdir()] == ["DEMOUSD-1m"], "the temporary files have no names"


@pytest.mark.parametrize(
    ("name", "member", "symbol"),
    [("DEMOUSD-1m.zip", "BTCUSD-1m.csv", "DEMOUSD"), ("archive.zip", "BTCUSD-1m.csv", "BTCUSD"), ("archive.zip", "prices.csv", None)],
)
def test_the_name_in_a_zip_counts_where_its_own_says_nothing(name: str, member: str, symbol: str | None) -> None:
    data = zipped({member: csv_from(CANDLES)})
    with tempfile.TemporaryFile() as file:
        file.write(data)
        parts = PartReader().read(file, name)
        if symbol is None:
            with pytest.raises(MustBeReadAtOnce):
                next(parts)
            with pytest.raises(MissingSeriesName):
                read_candles(data, name)
        else:
            assert {part.candles.symbol for part in parts} == {symbol} == {read_candles(data, name).candles.symbol}


WITH_DAMAGE = {
    "cut off": gzipped(csv_from(CANDLES))[:-100],
    "damaged": zip_of_one(csv_from(CANDLES))[:5000] + bytes(5000) + zip_of_one(csv_from(CANDLES))[10_000:],
    "two files": zipped({"a.csv": csv_from(CANDLES), "b.csv": b""}),
    "a bomb": gzipped(bytes(30 << 20)),
}


@pytest.mark.parametrize("name", WITH_DAMAGE)
def test_what_cannot_be_unpacked_is_refused_with_the_same_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "MAX_UNPACKED_BYTES", 20 << 20)
    with pytest.raises((CandleError, TooLarge)) as at_once:
        read_candles(WITH_DAMAGE[name], "DEMOUSD-1m", max_unpacked_bytes=20 << 20)
    with pytest.raises(type(at_once.value)) as in_parts:
        parts_of(WITH_DAMAGE[name], tmp_path)
    assert str(in_parts.value) == str(at_once.value)


def joined(*parts: Candles) -> Candles:
    return Candles.concatenate("DEMOUSD", "1m", parts)


def shifted(candles: Candles, minutes: int) -> Candles:
    return replace(candles, open_time=candles.open_time + minutes * 60_000)


def times(candles: Candles, factor: float) -> Candles:
    columns = candles.columns
    return replace(candles, columns=columns._replace(**{name: getattr(columns, name) * factor for name in columns._fields[:4]}))


FAULTY = {
    "newest first": CANDLES[::-1],
    "a duplicate at a border": joined(CANDLES[:PART_ROWS], CANDLES[PART_ROWS - 1 :]),
    "parts exchanged": joined(CANDLES[PART_ROWS:], CANDLES[:PART_ROWS]),
    "hours missing at a border": joined(CANDLES[: 3 * PART_ROWS], shifted(CANDLES[3 * PART_ROWS :], 120)),
    "an hour missing at a border, as where clocks are set forward": joined(CANDLES[: 3 * PART_ROWS], shifted(CANDLES[3 * PART_ROWS :], 60)),
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
        pytest.param(gzipped(csv_from(CANDLES).replace(b"0\n", b'"0"\n')), id="compressed quotes"),
        pytest.param(utf_16_from(CANDLES)[:-1], id="UTF-16 that was cut off"),
        pytest.param(lines_of_objects_from(CANDLES)[:-20], id="JSON lines that were cut off"),
        pytest.param(csv_from(CANDLES).replace(b"0\n", b'"0"\n'), id="quotes"),
        pytest.param(csv_from(CANDLES)[:-20], id="CSV that was cut off"),
        pytest.param(klines_from(CANDLES)[:-20], id="JSON that was cut off"),
        pytest.param(objects_from(CANDLES).replace(b"}, {", b"} {"), id="JSON without commas"),
        pytest.param(b'{"candles": ' + klines_from(CANDLES) + b"}", id="rows inside of an object"),
        pytest.param(parquet_from_candles(CANDLES)[:-20], id="Parquet that was cut off"),
        pytest.param(csv_from(CANDLES[:3000]), id="small"),
        pytest.param(feather_from(CANDLES)[:-20], id="Feather that was cut off"),
        pytest.param(texts_in_parquet_from(CANDLES).replace(b"DEMOUSD", b"OTHERUS"), id="another symbol in a column of text"),
        pytest.param(csv_from(CANDLES).replace(b"open_time", b"symbol"), id="no times"),
    ],
)
def test_other_files_are_read_at_once(data: bytes, tmp_path: Path) -> None:
    assert len(data) > 150_000
    with pytest.raises(MustBeReadAtOnce):
        parts_of(data, tmp_path)


def test_too_many_candles_are_left_to_the_reader_of_whole_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(large_files, "MAX_CANDLES", len(CANDLES) - 1)
    with pytest.raises(MustBeReadAtOnce):
        parts_of(parquet_from_candles(CANDLES), tmp_path)
