"""What a file is, by its first bytes and not by its name: unpacked and decoded, or refused in words."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from coinfarm.candles.sources.compression import BLOCK_BYTES, MAX_UNPACKED_BYTES, check_size, unpack
from coinfarm.errors import CandleError, ErrorDetail, TooLarge

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
        check_size(size, self.unpacked_bytes)


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
    file, member = unpack(io.BytesIO(data), _in_memory, max_bytes)
    return _plain(file.getvalue(), member)


def _in_memory(blocks: Iterator[bytes]) -> io.BytesIO:
    file = io.BytesIO()
    file.writelines(blocks)
    return file


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
        for start in range(0, len(data), BLOCK_BYTES):
            decoder.decode(data[start : start + BLOCK_BYTES], final=start + BLOCK_BYTES >= len(data))
    except UnicodeDecodeError:
        return False
    return True
