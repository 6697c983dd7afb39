"""Removes the symbol tables of shared libraries."""

import struct
from os import SEEK_END
from pathlib import Path

_ELF_64_LITTLE = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<32xQ14x2H6x")
"""Offset of the segment headers; their size and number."""
_SECTION_FIELDS = ((40, 8), (60, 4))
"""Offset and size of the header's fields about sections: offset of the section headers; their number and name table."""
_SEGMENT = struct.Struct("<8xQ16xQ")
"""Offset and size of a segment in the file."""


def strip(library: Path) -> int:
    """Truncate a library after its last segment, which removes the symbols for debuggers: a quarter of TensorFlow's size.

    Like binutils' `strip`, which no base image has; for x86-64 and arm64. Returns the number of bytes removed. Other files, and libraries
    without symbols, are not changed.
    """
    with library.open("r+b") as file:
        header = file.read(_HEADER.size)
        if not header.startswith(_ELF_64_LITTLE):
            return 0
        segments_at, segment_size, segment_count = _HEADER.unpack(header)
        file.seek(segments_at)
        table = file.read(segment_size * segment_count)
        end = max(sum(_SEGMENT.unpack_from(table, at)) for at in range(0, len(table), segment_size))
        freed: int = max(0, file.seek(0, SEEK_END) - end)
        if freed:
            file.truncate(end)
            for offset, size in _SECTION_FIELDS:
                file.seek(offset)
                file.write(bytes(size))
    return freed
