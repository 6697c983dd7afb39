"""The size to which a Feather file (Arrow's IPC format) unpacks, from its own declarations, before anything is unpacked.

Arrow decompresses a record batch before it tells how many rows that has, so a few kilobytes could fill the memory. It decompresses no more
than a buffer declares, so the declarations can be relied on. They are FlatBuffers: https://arrow.apache.org/docs/format/Columnar.html.
"""

import struct
from collections.abc import Iterator
from mmap import mmap

Buffer = bytes | mmap
_MAGIC = b"ARROW1"
_CONTINUATION = 0xFFFFFFFF
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_MESSAGE_KIND, _MESSAGE_HEADER = 1, 2
_KIND_DICTIONARY = 2
_DICTIONARY_BATCH = 1
_BATCH_BUFFERS, _BATCH_COMPRESSION = 2, 3
_MAX_BUFFERS = 200_000
"""Many times those of any file of candles: a damaged count must not keep the reader busy."""


def unpacked_bytes(data: Buffer) -> int:
    """The sum over all buffers of all batches. Raises `ValueError` for what is not such a file."""
    try:
        (length,) = struct.unpack_from("<i", data, len(data) - len(_MAGIC) - 4)
        footer = _Table.root(data, len(data) - len(_MAGIC) - 4 - length)
        blocks = [*footer.structs(_FOOTER_DICTIONARIES, "<qiiq"), *footer.structs(_FOOTER_BATCHES, "<qiiq")]
        sizes = (size for offset, metadata_length, _, _ in blocks for size in _buffer_sizes(data, offset, metadata_length))
        return sum(_limited(sizes))
    except struct.error as error:
        raise ValueError(f"its directory is damaged: {error}") from None


def _limited(sizes: Iterator[int]) -> Iterator[int]:
    for at, size in enumerate(sizes):
        if at == _MAX_BUFFERS:
            raise struct.error(f"more than {_MAX_BUFFERS:,} buffers")
        yield size


def _buffer_sizes(data: Buffer, offset: int, metadata_length: int) -> Iterator[int]:
    (marker,) = struct.unpack_from("<I", data, offset)
    message = _Table.root(data, offset + (8 if marker == _CONTINUATION else 4))
    batch = message.table(_MESSAGE_HEADER)
    if message.byte(_MESSAGE_KIND) == _KIND_DICTIONARY:
        batch = batch.table(_DICTIONARY_BATCH)
    body = offset + metadata_length
    is_compressed = batch.has(_BATCH_COMPRESSION)
    for start, length in batch.structs(_BATCH_BUFFERS, "<qq"):
        yield _buffer_bytes(data, body + start, length, is_compressed)


def _buffer_bytes(data: Buffer, start: int, length: int, is_compressed: bool) -> int:
    """A compressed buffer begins with its uncompressed length, which is -1 if it did not become smaller."""
    if not is_compressed or not length:
        return length
    unpacked: int = struct.unpack_from("<q", data, start)[0]
    return length if unpacked == -1 else unpacked


class _Table:
    """A table of a FlatBuffer: fields by number, each of which may be absent."""

    def __init__(self, data: Buffer, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - self._read("<i", at)
        self._fields_bytes = self._read("<H", self._fields)

    @classmethod
    def root(cls, data: Buffer, at: int) -> "_Table":
        return cls(data, at + struct.unpack_from("<I", data, at)[0])

    def has(self, number: int) -> bool:
        return self._place(number) is not None

    def byte(self, number: int) -> int:
        place = self._place(number)
        return 0 if place is None else self._read("<B", place)

    def table(self, number: int) -> "_Table":
        place = self._place(number)
        if place is None:
            raise struct.error(f"field {number} is missing")
        return _Table(self._data, place + self._read("<I", place))

    def structs(self, number: int, layout: str) -> Iterator[tuple[int, ...]]:
        place = self._place(number)
        if place is None:
            return
        start = place + self._read("<I", place)
        size = struct.calcsize(layout)
        count = self._read("<I", start)
        if count > _MAX_BUFFERS:
            raise struct.error(f"{count:,} entries")
        for at in range(count):
            yield struct.unpack_from(layout, self._data, start + 4 + at * size)

    def _place(self, number: int) -> int | None:
        entry = 4 + 2 * number
        offset = self._read("<H", self._fields + entry) if entry < self._fields_bytes else 0
        return self._at + offset if offset else None

    def _read(self, layout: str, at: int) -> int:
        value: int = struct.unpack_from(layout, self._data, at)[0]
        return value
