"""Compressed files of candles, unpacked block by block: gzip, bzip2, xz, zstd, and zips with one file. The first bytes say which."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TypeVar

from coinfarm.errors import CandleError, ErrorDetail, TooLarge

MAX_UNPACKED_BYTES = 2 << 30
"""The limit for what a compressed file unpacks to: twenty million candles as text."""
BLOCK_BYTES = 1 << 20
_MAX_LAYERS = 2
"""A .csv.gz in a zip, and no deeper."""
_XZ_MEMORY = 256 << 20

File = TypeVar("File", bound=IO[bytes])


def unpack(file: File, keep: Callable[[Iterator[bytes]], File], max_bytes: int = MAX_UNPACKED_BYTES) -> tuple[File, str | None]:
    """What a file unpacks to, the file itself if it is not compressed, and the name that it has in a zip. Both files are at their start.

    `keep` makes a file of the blocks. Raises `CandleError` for a damaged file and for a zip of several files, and `TooLarge` for more than
    `max_bytes`, whatever size a header gives.
    """
    member = None
    for _ in range(_MAX_LAYERS + 1):
        start = _first_bytes(file)
        if start in (b"PK\x03\x04", b"PK\x05\x06"):
            member = _zip_member(file)
            blocks = _unzip(file, member)
        else:
            opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
            if opener is None:
                return file, member
            blocks = opener(file)
        file = keep(_limited(blocks, max_bytes))
    raise CandleError(ErrorDetail("", "is compressed several times: unpack it"))


def blocks_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The rest of a file with this method."""
    return iter(partial(read, BLOCK_BYTES), b"")


def check_size(size: int, max_bytes: int) -> None:
    """Raise `TooLarge` for more bytes."""
    if size > max_bytes:
        raise TooLarge(f"unpacks to more than {max_bytes >> 20} MiB: split it")


def printable(text: str) -> str:
    """One line without control characters, which a damaged file may have in its names and cells."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _first_bytes(file: IO[bytes]) -> bytes:
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    return start


def _limited(blocks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        check_size(size, max_bytes)
        yield block


_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def _zip_member(file: IO[bytes]) -> str:
    """The name of the only file; what a Mac adds is ignored."""
    try:
        with zipfile.ZipFile(file) as archive:
            every = archive.namelist()
    except _ZIP_ERRORS as error:
        raise _damaged_zip(error) from None
    if "[Content_Types].xml" in every:
        raise CandleError(ErrorDetail("", "is an Excel workbook: save the sheet as CSV"))
    names = [name for name in every if not _is_clutter(name)]
    if len(names) != 1:
        shown = printable(", ".join(names[:3])) or "nothing"
        raise CandleError(ErrorDetail("", f"must contain one file of candles, but contains {shown}{' …' * (len(names) > 3)}"))
    return names[0]


def _is_clutter(name: str) -> bool:
    path = PurePosixPath(name)
    return name.endswith("/") or "__MACOSX" in path.parts or path.name.startswith(("._", ".DS_Store")) or path.suffix == ".CHECKSUM"


def _unzip(file: IO[bytes], member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(member) as content:
            yield from blocks_of(content.read)
    except _ZIP_ERRORS as error:
        raise _damaged_zip(error) from None


def _gunzip(file: IO[bytes]) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=file) as content:
            yield from blocks_of(content.read)
    except EOFError:
        raise _damaged("gzip", "its end is missing") from None
    except gzip.BadGzipFile:  # its message may show bytes of the file
        raise _damaged("gzip", "its checksum or what follows it is wrong") from None
    except zlib.error as error:
        raise _damaged("gzip", error) from None


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    try:
        content = pa.CompressedInputStream(pa.PythonFile(_Unowned(file), "r"), "zstd")
        yield from blocks_of(content.read)
    except (OSError, pa.ArrowException) as error:
        raise _damaged("zstd", error) from None


class _Unowned(io.RawIOBase):
    """A file that stays open when Arrow closes this one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def _bunzip2(file: IO[bytes]) -> Iterator[bytes]:
    return _streams(file, bz2.BZ2Decompressor, "bzip2")


def _unxz(file: IO[bytes]) -> Iterator[bytes]:
    return _streams(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY), "xz")


def _streams(file: IO[bytes], start: "Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]", name: str) -> Iterator[bytes]:
    """Several streams may follow each other, as pbzip2 writes them."""
    data = file.read(BLOCK_BYTES)
    while data:
        unpacker = start()
        while not unpacker.eof:
            if unpacker.needs_input and not data:
                raise _damaged(name, "its end is missing")
            try:
                block = unpacker.decompress(data, BLOCK_BYTES)
            except (OSError, EOFError, lzma.LZMAError) as error:
                raise _damaged(name, error) from None
            yield block
            data = file.read(BLOCK_BYTES) if unpacker.needs_input else b""
        data = (unpacker.unused_data or file.read(BLOCK_BYTES)).lstrip(b"\0")


def _damaged_zip(error: Exception) -> CandleError:
    return CandleError(ErrorDetail("", f"is a zip that is damaged, cut off or encrypted: {error}"))


def _damaged(name: str, error: object) -> CandleError:
    return CandleError(ErrorDetail("", f"is {name} that is damaged or cut off ({error}): copy or download it again"))


_OPENERS: dict[bytes, Callable[[IO[bytes]], Iterator[bytes]]] = {
    b"\x1f\x8b": _gunzip,
    b"\x28\xb5\x2f\xfd": _unzstd,
    b"BZh": _bunzip2,
    b"\xfd7zX": _unxz,
}
