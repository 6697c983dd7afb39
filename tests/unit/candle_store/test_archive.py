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
    ("name", "parsed"),
    [
        pytest.param("BTCUSDT-1m-2020-01.zip", ArchiveName("BTCUSDT", "1m", START_MS, START_MS + 31 * DAY_MS), id="month"),
        pytest.param("BTCUSDT-1m-2019-12.csv", ArchiveName("BTCUSDT", "1m", START_MS - 31 * DAY_MS, START_MS), id="December, unpacked"),
        pytest.param("1INCHUSDT-15m-2020-01-01.zip", ArchiveName("1INCHUSDT", "15m", START_MS, START_MS + DAY_MS), id="day"),
        pytest.param("BTCUSD_PERP-1h-2020-01.zip", ArchiveName("BTCUSD_PERP", "1h", START_MS, START_MS + 31 * DAY_MS), id="future"),
        pytest.param("BTCUSDT-1m-2020-13.zip", None, id="no month"),
        pytest.param("BTCUSDT-1m-2020-02-30.zip", None, id="no day"),
        pytest.param("BTCUSDT-1m.parquet", None, id="another file"),
    ],
)
def test_a_name_gives_the_series_and_the_period(name: str, parsed: ArchiveName | None) -> None:
    assert ArchiveName.parse(name) == parsed


def bomb(path: Path) -> Path:
    return zipped({"a.csv": bytes(archive.MAX_CSV_BYTES + 1)}, path)


def edited(path: Path, edit: Callable[[bytes], bytes], content: bytes = b"0123456789" * 1000) -> Path:
    path.write_bytes(edit(zipped({"a.csv": content}, path).read_bytes()))
    return path


def bomb_with_wrong_size(path: Path) -> Path:
    """A zip whose headers give an unpacked size of ten bytes."""
    size = struct.pack("<I", archive.MAX_CSV_BYTES + 1)
    return edited(path, lambda data: data.replace(size, struct.pack("<I", 10)), bytes(archive.MAX_CSV_BYTES + 1))


def damaged(path: Path) -> Path:
    return edited(path, lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:])


def encrypted(path: Path) -> Path:
    """A zip whose flags say that it is encrypted."""

    def set_flags(data: bytes) -> bytes:
        flags = (6, data.index(b"PK\x01\x02") + 8)
        return bytes(byte | (at in flags) for at, byte in enumerate(data))

    return edited(path, set_flags)


@pytest.mark.parametrize(
    ("make", "error", "named"),
    [
        pytest.param(bomb, TooLarge, "1 MiB", id="bomb"),
        pytest.param(bomb_with_wrong_size, CandleError, "Bad CRC", id="bomb with a wrong size in its header"),
        pytest.param(damaged, CandleError, "zip", id="damaged"),
        pytest.param(encrypted, CandleError, "encrypted", id="encrypted"),
        pytest.param(lambda path: edited(path, lambda data: data[:-30]), CandleError, "zip", id="truncated"),
        pytest.param(lambda path: zipped({}, path), CandleError, "nothing", id="empty"),
        pytest.param(lambda path: zipped({"a.csv": b"", "b.csv": b""}, path), CandleError, "a.csv, b.csv", id="two files"),
        pytest.param(lambda path: zipped({"a.exe": b""}, path), CandleError, "a.exe", id="not a CSV file"),
    ],
)
def test_rejects_an_invalid_zip(
    make: Callable[[Path], Path], error: type[Exception], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_CSV_BYTES", 1 << 20)
    with pytest.raises(error, match=named):
        read_zipped_csv(make(tmp_path / "a.zip"))


def test_unpacking_writes_no_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert read_zipped_csv(zipped({"../../evil.csv": b"1,2\n"}, tmp_path / "in/a.zip")) == b"1,2\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_the_checksum_file_is_checked(tmp_path: Path) -> None:
    path = zipped({"a.csv": b"1"}, tmp_path / "a.zip")
    checksum = tmp_path / "a.zip.CHECKSUM"
    checksum.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  a.zip\n")
    assert read_zipped_csv(path) == b"1"
    checksum.write_text(f"{'0' * 64}  a.zip\n")
    with pytest.raises(CoinfarmError, match=r"a\.zip\.CHECKSUM"):
        read_zipped_csv(path)


def test_adds_a_header_if_there_is_none() -> None:
    twelve = b"1577836800000,1,2,0.5,1.5,9,1577836859999,0,1,0,0,0\n"
    header, row = add_header(twelve).split(b"\n", 1)
    assert header.startswith(b"open_time,open,high,low,close,volume,close_time,")
    assert header.count(b",") == 11
    assert row == twelve
    assert add_header(b"1,1,2,0.5,1.5,9").splitlines()[0] == b"open_time,open,high,low,close,volume"
    named = b"open_time,open,high,low,close,volume\n"
    assert add_header(named) == named
