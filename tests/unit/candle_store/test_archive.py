"""Binance's archive: zips of one CSV file, with and without a header, in milliseconds and microseconds, and zips that mean harm."""

import hashlib
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from coinfarm.candle_store import archive
from coinfarm.candle_store.archive import ArchiveName, add_header, read_zipped_csv
from coinfarm.errors import CandleError, CoinfarmError, TooLarge
from tests.support.synthetic_candles import MINUTE_MS, START_MS

DAY_MS = 1440 * MINUTE_MS


def zipped(members: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("BTCUSDT-1m-2020-01.zip", ArchiveName("BTCUSDT", "1m", START_MS, START_MS + 31 * DAY_MS), id="month"),
        pytest.param(
            "BTCUSDT-1m-2019-12.csv", ArchiveName("BTCUSDT", "1m", START_MS - 31 * DAY_MS, START_MS), id="December, unpacked already"
        ),
        pytest.param("1INCHUSDT-15m-2020-01-01.zip", ArchiveName("1INCHUSDT", "15m", START_MS, START_MS + DAY_MS), id="day"),
        pytest.param("BTCUSD_PERP-1h-2020-01.zip", ArchiveName("BTCUSD_PERP", "1h", START_MS, START_MS + 31 * DAY_MS), id="future"),
        pytest.param("BTCUSDT-1m-2020-13.zip", None, id="no month"),
        pytest.param("BTCUSDT-1m-2020-02-30.zip", None, id="no day"),
        pytest.param("BTCUSDT-1m.parquet", None, id="another file"),
    ],
)
def test_a_name_tells_what_the_archive_has_all_of(name: str, told: ArchiveName | None) -> None:
    assert ArchiveName.of(name) == told


def test_the_one_csv_file_is_unpacked(tmp_path: Path) -> None:
    assert read_zipped_csv(zipped({"BTCUSDT-1m-2024-01.csv": b"1,2,3\n"}, tmp_path / "a.zip")) == b"1,2,3\n"


def bomb(path: Path) -> Path:
    return zipped({"a.csv": bytes(archive.MAX_CSV_BYTES + 1)}, path)


def lying_bomb(path: Path) -> Path:
    """Its headers say that ten bytes come out."""
    data = bytearray(bomb(path).read_bytes())
    size = struct.pack("<I", archive.MAX_CSV_BYTES + 1)
    path.write_bytes(data.replace(size, struct.pack("<I", 10)))
    return path


def damaged(path: Path) -> Path:
    data = bytearray(zipped({"a.csv": b"0123456789" * 1000}, path).read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    return path


def encrypted(path: Path) -> Path:
    """It says so in its flags."""
    data = bytearray(zipped({"a.csv": b"1"}, path).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


def cut_short(path: Path) -> Path:
    path.write_bytes(zipped({"a.csv": b"1"}, path).read_bytes()[:-30])
    return path


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        pytest.param(bomb, TooLarge, "unpacks to more than 1 MiB", id="bomb"),
        pytest.param(lying_bomb, CandleError, "is not a zip that can be read: Bad CRC", id="bomb that lies about its size"),
        pytest.param(damaged, CandleError, "is not a zip that can be read", id="damaged"),
        pytest.param(encrypted, CandleError, "is not a zip that can be read: .*encrypted", id="encrypted"),
        pytest.param(cut_short, CandleError, "is not a zip that can be read", id="cut short"),
        pytest.param(lambda path: zipped({}, path), CandleError, "must hold one CSV file, and holds nothing", id="empty"),
        pytest.param(lambda path: zipped({"a.csv": b"", "b.csv": b""}, path), CandleError, "holds a.csv, b.csv", id="two files"),
        pytest.param(lambda path: zipped({"a.exe": b""}, path), CandleError, "holds a.exe", id="something else"),
    ],
)
def test_a_zip_that_is_not_right_is_refused(
    make: Callable[[Path], Path], error: type[Exception], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_CSV_BYTES", 1 << 20)
    with pytest.raises(error, match=says):
        read_zipped_csv(make(tmp_path / "a.zip"))


def test_a_name_that_leads_elsewhere_writes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert read_zipped_csv(zipped({"../../evil.csv": b"1,2\n"}, tmp_path / "in/a.zip")) == b"1,2\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_a_checksum_beside_it_is_checked(tmp_path: Path) -> None:
    path = zipped({"a.csv": b"1"}, tmp_path / "a.zip")
    checksum = tmp_path / "a.zip.CHECKSUM"
    checksum.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  a.zip\n")
    assert read_zipped_csv(path) == b"1"
    checksum.write_text(f"{'0' * 64}  a.zip\n")
    with pytest.raises(CoinfarmError, match=r"is not the file of a.zip.CHECKSUM: fetch it again"):
        read_zipped_csv(path)


def test_columns_get_their_names_where_they_have_none() -> None:
    twelve = b"1577836800000,1,2,0.5,1.5,9,1577836859999,0,1,0,0,0\n"
    header, row = add_header(twelve).split(b"\n", 1)
    assert header.startswith(b"open_time,open,high,low,close,volume,close_time,")
    assert header.count(b",") == 11
    assert row == twelve
    assert add_header(b"1,1,2,0.5,1.5,9").splitlines()[0] == b"open_time,open,high,low,close,volume"
    named = b"open_time,open,high,low,close,volume\n"
    assert add_header(named) == named
