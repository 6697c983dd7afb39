import bz2
import gzip
import lzma
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from coinfarm.candles.sources.container import Format, open_content
from coinfarm.errors import CandleError, TooLarge

MAX_BYTES = 1 << 20


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def zipped(members: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def bomb(path: Path) -> Path:
    return zipped({"a.csv": bytes(MAX_BYTES + 1)}, path)


def edited(path: Path, edit: Callable[[bytes], bytes], content: bytes = b"0123456789" * 1000) -> Path:
    path.write_bytes(edit(zipped({"a.csv": content}, path).read_bytes()))
    return path


def bomb_with_wrong_size(path: Path) -> Path:
    """A zip whose headers give an unpacked size of ten bytes."""
    size = struct.pack("<I", MAX_BYTES + 1)
    return edited(path, lambda data: data.replace(size, struct.pack("<I", 10)), bytes(MAX_BYTES + 1))


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
    ],
)
def test_rejects_an_invalid_zip(make: Callable[[Path], Path], error: type[Exception], named: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=named):
        open_content(make(tmp_path / "a.zip").read_bytes(), MAX_BYTES)


def test_unpacking_writes_no_file(tmp_path: Path) -> None:
    content = open_content(zipped({"../../evil.csv": b"1,2\n"}, tmp_path / "a.zip").read_bytes())
    assert (content.format, content.data, content.zip_member) == (Format.TEXT, b"1,2\n", "../../evil.csv")
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd], ids=["gzip", "bzip2", "xz", "zstd"])
def test_compressed_bytes_are_unpacked_up_to_a_limit(compress: Callable[[bytes], bytes]) -> None:
    assert open_content(compress(b"a,b\n" * 1000)).data == b"a,b\n" * 1000
    assert open_content(compress(b"a\n") + compress(b"b\n")).data == b"a\nb\n" if compress is gzip.compress else True
    with pytest.raises(TooLarge):
        open_content(compress(bytes(MAX_BYTES + 1)), MAX_BYTES)
    with pytest.raises(CandleError):
        open_content(compress(b"a,b\n" * 1000)[:-9])


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "empty"),
        (b" \n\0", "blanks"),
        (b"%PDF-1.7", "PDF"),
        (b"\x01\x02\x03" * 50, "binary"),
        (b"\n<html>", "web page"),
        (b"PAR1 but no footer", "cut off"),
        (b"SQLite format 3\0", "SQLite"),
    ],
)
def test_rejects_what_is_no_file_of_candles(data: bytes, named: str) -> None:
    with pytest.raises(CandleError, match=named):
        open_content(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_text_becomes_utf_8(encoding: str) -> None:
    text = "time;Zeit für,1\n" * 3
    assert open_content(text.encode(encoding)).data == text.encode()
