"""Large files of candles part by part: only a few parts are in memory at a time.

Each part is read as a file of its own, by the one reader. That is the same as reading the file at once if the rows are in order, of one
source, and each part begins where the one before ended; the rows that are dropped are counted. Any other file must be read at once, because
diagnoses need the whole of it. A compressed file is unpacked into a temporary file first, and UTF-16 text recoded into one.
"""

import codecs
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import IO

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import Reading, read_candles
from coinfarm.candles.sources.compression import MAX_UNPACKED_BYTES, blocks_of, unpack
from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.csv_dialect import detect_dialect
from coinfarm.candles.sources.names import series_hint
from coinfarm.candles.sources.reader import Expected, read_table
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CoinfarmError
from coinfarm.storage.local_file import temporary_copy
from coinfarm.storage.read_ahead import read_ahead

_PART_BYTES = 8 << 20
_PART_ROWS = 1 << 17
_MAX_COMPRESSION = 8
"""A compressed file of less than an eighth of a part is small."""
_MIN_PART_CANDLES = 1000
"""Fewer confirm little."""
_SAMPLE_BYTES = 1 << 16
_HOUR_MS = 3_600_000
_THREADS = 2
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class MustBeReadAtOnce(Exception):
    """The file is small, of a format without parts, or has something to say of it."""


@dataclass(frozen=True)
class PartReader:
    """Reads large files of one series; the arguments are those of `read_candles`."""

    symbol: str | None = None
    interval: str | None = None
    timezone: str | None = None

    def read(self, file: IO[bytes], name: str) -> Iterator[Reading]:
        """The parts of an open file with that name, oldest first.

        Raises `MustBeReadAtOnce` at any part; `CandleError` and `TooLarge` for a compressed file that cannot be unpacked, and `OSError`.
        """
        if _size(file) <= _PART_BYTES // _MAX_COMPRESSION:
            raise MustBeReadAtOnce
        with ExitStack() as temporary:

            def keep(blocks: Iterator[bytes]) -> IO[bytes]:
                return temporary.enter_context(temporary_copy(blocks))

            unpacked, member = unpack(file, keep, MAX_UNPACKED_BYTES)
            last: Reading | None = None
            count = 0
            try:
                if unpacked.read(2) in _UTF_16:
                    unpacked = keep(_utf_8(unpacked))
                parts = self._parts(unpacked, name if member is None or series_hint(name).symbol else member)
                for _, reading in read_ahead(lambda part: part(), parts, _THREADS):
                    count += len(reading.candles) + len(reading.dropped)
                    if count > MAX_CANDLES or not _continues(reading, last):
                        raise MustBeReadAtOnce
                    yield reading
                    last = reading
            except (CoinfarmError, UnicodeDecodeError):
                raise MustBeReadAtOnce from None

    def _parts(self, file: IO[bytes], name: str) -> Iterator[Callable[[], Reading]]:
        file.seek(0)
        start = file.read(_SAMPLE_BYTES)
        file.seek(0)
        if start.startswith((b"PAR1", b"ARROW1")):
            yield from self._arrow_parts(file, name, is_parquet=start.startswith(b"PAR1"))
            return
        if _size(file) <= 2 * _PART_BYTES or b"\0" in start:
            raise MustBeReadAtOnce
        for text in _text_parts(file, start):
            yield partial(read_candles, text, name, symbol=self.symbol, interval=self.interval, timezone=self.timezone)

    def _arrow_parts(self, file: IO[bytes], name: str, is_parquet: bool) -> Iterator[Callable[[], Reading]]:
        import pyarrow as pa

        from coinfarm.candles.arrow_parts import feather_parts, parquet_parts

        hint = series_hint(name)
        expected = Expected(self.symbol, self.interval, self.timezone, hint.symbol, hint.interval)
        parts = parquet_parts if is_parquet else feather_parts
        try:
            for table in parts(file, _PART_ROWS, Limits(MAX_CANDLES)):
                yield partial(read_table, table, expected)
        except (pa.ArrowException, OSError, ValueError):
            raise MustBeReadAtOnce from None


def _continues(part: Reading, last: Reading | None) -> bool:
    """Whether there is nothing to say of a part alone, and it follows the one before as if they were one file."""
    candles = part.candles
    if part.other_notes or len(candles) < _MIN_PART_CANDLES:
        return False
    if last is None:
        return True
    before: Candles = last.candles
    step_ms = candles.open_time[0] - before.open_time[-1]
    ratio = candles.columns.open[0] / before.columns.close[-1]
    return bool(
        (part.source, part.general_notes, candles.symbol, candles.interval)
        == (last.source, last.general_notes, before.symbol, before.interval)
        and candles.interval_ms <= step_ms < candles.interval_ms + _HOUR_MS
        and 0.5 <= ratio <= 2
    )


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _utf_8(file: IO[bytes]) -> Iterator[bytes]:
    """UTF-16 text as UTF-8. Raises `UnicodeDecodeError`."""
    file.seek(0)
    return (text.encode() for text in codecs.iterdecode(blocks_of(file.read), "utf-16"))


def _text_parts(file: IO[bytes], start: bytes) -> Iterator[bytes]:
    if start.lstrip()[:1] not in (b"[", b"{"):
        return _csv_parts(file, start)
    return (lines for lines, _ in _cut(file, b"\n")) if _is_json_lines(start) else _json_parts(file)


def _is_json_lines(start: bytes) -> bool:
    """Whether the first line is a JSON document, and not the last."""
    line, end, _ = start.lstrip().partition(b"\n")
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return bool(end)


def _csv_parts(file: IO[bytes], start: bytes) -> Iterator[bytes]:
    """Lines, each part below the header of the file."""
    dialect = detect_dialect(start[: start.rfind(b"\n") + 1].decode(errors="replace"))
    header = b"".join(file.readline() for _ in range(dialect.first_row))
    for lines, _ in _cut(file, b"\n"):
        if b'"' in lines:  # a cell may have several lines
            raise MustBeReadAtOnce
        yield header + lines


def _json_parts(file: IO[bytes]) -> Iterator[bytes]:
    """The rows of an array of arrays or objects, each part an array of its own."""
    first_row = file.read(_SAMPLE_BYTES).lstrip()[1:].lstrip()[:1]
    closing = {b"[": b"]", b"{": b"}"}.get(first_row)
    if closing is None:
        raise MustBeReadAtOnce
    file.seek(0)
    before = b"["
    for rows, is_last in _cut(file, closing):
        if not rows.lstrip().startswith(before):
            raise MustBeReadAtOnce
        yield b"[" + rows.lstrip()[1:] + (b"" if is_last else b"]")
        before = b","


def _cut(file: IO[bytes], end: bytes) -> Iterator[tuple[bytes, bool]]:
    """The rest of a file in parts that end with `end`, and whether each is the last one, which is up to twice as long."""
    size = _size(file)
    rest = b""
    while size - file.tell() >= 2 * _PART_BYTES:
        text = rest + file.read(_PART_BYTES)
        stop = text.rfind(end) + 1
        if not stop:
            raise MustBeReadAtOnce
        rest = text[stop:]
        yield text[:stop], False
    yield rest + file.read(), True
