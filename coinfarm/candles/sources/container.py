"""What a file is, by its first bytes and not by its name: unpacked and decoded, or refused in words."""

import bz2
import codecs
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from coinfarm.errors import CandleError, ErrorDetail, TooLarge

MAX_UNPACKED_BYTES = 2 << 30
"""The limit for what a compressed file unpacks to: twenty million candles as text."""
_BLOCK = 1 << 20
_SAMPLE = 4096


class Format(StrEnum):
    """What the bytes of a file are, once they are unpacked."""

    TEXT = "text"
    PARQUET = "Parquet"
    FEATHER = "Feather"
    HDF5 = "HDF5"


@dataclass(frozen=True)
class Limits:
    """What a table of binary columns may have. Both are checked before it is unpacked, because kilobytes can unpack to gigabytes."""

    rows: int
    unpacked_bytes: int = MAX_UNPACKED_BYTES

    def check_rows(self, count: int) -> None:
        """Raise `TooLarge` for more rows."""
        if count > self.rows:
            raise TooLarge(f"the file has {count:,} rows, more than {self.rows:,}: split it")

    def check_bytes(self, size: int) -> None:
        """Raise `TooLarge` for more bytes."""
        _check_size(size, self.unpacked_bytes)


@dataclass(frozen=True)
class Content:
    """The bytes of a file; text is UTF-8 without a byte order mark. `zip_member` is the name of the file in a zip."""

    format: Format
    data: bytes
    zip_member: str | None = None


_REFUSED = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: run `git lfs pull`",
    b"%PDF": "is a PDF document, not a file of candles",
    b"Rar!": "is a RAR archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive: unpack it",
    b"SQLite format 3": "is an SQLite database: export its table as CSV",
    b"\x80\x03": "is a pickle, which could run code: save the frame with to_parquet instead",
    b"\x80\x04": "is a pickle, which could run code: save the frame with to_parquet instead",
    b"\x80\x05": "is a pickle, which could run code: save the frame with to_parquet instead",
    b"\x93NUMPY": "is a NumPy array, whose columns have no names: save it as CSV or Parquet",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook: save the sheet as CSV",
    b"\x89PNG": "is a picture",
}
_HTML = re.compile(rb"\s*<(!doctype|html|head|\?xml|body|Error>)", re.IGNORECASE)


def open_content(data: bytes, max_bytes: int = MAX_UNPACKED_BYTES) -> Content:
    """The content of a file. Raises `CandleError` for what is no file of candles, and `TooLarge` if it unpacks to more than `max_bytes`."""
    member = None
    for _ in range(3):  # a .csv.gz in a zip, and no deeper
        if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            data, member = unzip(data, max_bytes)
            continue
        unpack = next((unpack for magic, unpack in _UNPACKERS.items() if data.startswith(magic)), None)
        if unpack is None:
            return _plain(data, member)
        data = unpack(data, max_bytes)
    raise CandleError(ErrorDetail("", "is compressed several times: unpack it"))


def _plain(data: bytes, member: str | None) -> Content:
    if not data.strip(b" \t\r\n\0"):
        raise CandleError(ErrorDetail("", "is empty" if not data else "has nothing but blanks"))
    for magic, detail in _REFUSED.items():
        if data.startswith(magic):
            raise CandleError(ErrorDetail("", detail))
    if data.startswith(b"PAR1"):
        if data[-4:] != b"PAR1":
            raise CandleError(ErrorDetail("", "is a Parquet file that was cut off: copy or download it again"))
        return Content(Format.PARQUET, data, member)
    if data.startswith((b"ARROW1", b"FEA1")):
        return Content(Format.FEATHER, data, member)
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return Content(Format.HDF5, data, member)
    if _HTML.match(data[:_SAMPLE].removeprefix(b"\xef\xbb\xbf")):
        raise CandleError(ErrorDetail("", "is a web page, such as a login or an error page, not a file of candles: download it again"))
    return Content(Format.TEXT, _utf8(data), member)


def _utf8(data: bytes) -> bytes:
    """Text as UTF-8. Only its digits and column names matter, so what is no Unicode is taken as Latin-1."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    sample = data[:_SAMPLE]
    encoding = None
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif len(sample) > 3 and sample.count(0) > len(sample) // 3:
        encoding = "utf-16-le" if sample[1] == 0 else "utf-16-be"
    if encoding:
        try:
            return data.decode(encoding).encode()
        except UnicodeDecodeError:
            raise CandleError(ErrorDetail("", "is UTF-16 text that was cut off or damaged: copy or download it again")) from None
    controls = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if controls:
        raise CandleError(ErrorDetail("", "is binary, and of no known format: candles are read from CSV, JSON, Parquet and Feather files"))
    return data if data.isascii() or _is_utf8(data) else data.decode("latin-1").encode()


def _is_utf8(data: bytes) -> bool:
    """Block by block, because a decoded copy of a large file takes memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def unzip(data: bytes, max_bytes: int) -> tuple[bytes, str]:
    """The only file in a zip, and its name; what a Mac adds is ignored. It is unpacked in memory only."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            every = archive.namelist()
            if "[Content_Types].xml" in every:
                raise CandleError(ErrorDetail("", "is an Excel workbook: save the sheet as CSV"))
            names = [name for name in every if not _is_clutter(name)]
            if len(names) != 1:
                shown = ", ".join(names[:3]) or "nothing"
                raise CandleError(ErrorDetail("", f"must contain one file of candles, but contains {shown}{' …' * (len(names) > 3)}"))
            # The size in the header may be wrong, so unpack no more than the limit.
            with archive.open(names[0]) as file:
                found = file.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise CandleError(ErrorDetail("", f"is a zip that is damaged, cut off or encrypted: {error}")) from None
    _check_size(len(found), max_bytes)
    return found, names[0]


def _is_clutter(name: str) -> bool:
    path = PurePosixPath(name)
    return name.endswith("/") or "__MACOSX" in path.parts or path.name.startswith(("._", ".DS_Store")) or path.suffix == ".CHECKSUM"


def _gunzip(data: bytes, max_bytes: int) -> bytes:
    parts, size = [], 0
    while data:  # several members may follow each other
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(data, max_bytes + 1 - size)
        except zlib.error as error:
            raise _damaged("gzip", error) from None
        size += len(part)
        _check_size(size, max_bytes)
        if not unpacker.eof:
            raise _damaged("gzip", "its end is missing")
        parts.append(part)
        data = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _unzstd(data: bytes, max_bytes: int) -> bytes:
    import pyarrow as pa

    parts, size = [], 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            while part := stream.read(_BLOCK):
                size += len(part)
                _check_size(size, max_bytes)
                parts.append(part)
    except (OSError, pa.ArrowException) as error:
        raise _damaged("zstd", error) from None
    return b"".join(parts)


def _bunzip2(data: bytes, max_bytes: int) -> bytes:
    return _with_limit(bz2.BZ2Decompressor(), data, "bzip2", max_bytes)


def _unxz(data: bytes, max_bytes: int) -> bytes:
    return _with_limit(lzma.LZMADecompressor(memlimit=256 << 20), data, "xz", max_bytes)


def _with_limit(unpacker: "bz2.BZ2Decompressor | lzma.LZMADecompressor", data: bytes, name: str, max_bytes: int) -> bytes:
    try:
        found = unpacker.decompress(data, max_bytes + 1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise _damaged(name, error) from None
    _check_size(len(found), max_bytes)
    if not unpacker.eof:
        raise _damaged(name, "its end is missing")
    return found


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise TooLarge(f"unpacks to more than {max_bytes >> 20} MiB: split it")


def _damaged(name: str, error: object) -> CandleError:
    return CandleError(ErrorDetail("", f"is {name} that is damaged or cut off ({error}): copy or download it again"))


_UNPACKERS: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"\x1f\x8b": _gunzip,
    b"\x28\xb5\x2f\xfd": _unzstd,
    b"BZh": _bunzip2,
    b"\xfd7zXZ\x00": _unxz,
}
