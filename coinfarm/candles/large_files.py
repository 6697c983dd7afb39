"""Large files of candles part by part: only a few parts are in memory at a time.

Each part is read as a file of its own, by the one reader. That is the same as reading the file at once if no part needs a word about it:
in order, without duplicates, of one source, each part beginning where the one before ended. Any other file must be read at once, because
notes and diagnoses count over the whole file.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import Reading, read_candles
from coinfarm.candles.sources.csv_dialect import detect_dialect
from coinfarm.candles.sources.names import series_hint
from coinfarm.candles.sources.reader import Expected, read_table
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CoinfarmError
from coinfarm.storage.read_ahead import read_ahead

_PART_BYTES = 8 << 20
_PART_ROWS = 1 << 17
_MIN_PART_CANDLES = 1000
"""Fewer confirm little."""
_SAMPLE_BYTES = 1 << 16
_MAX_BORDER_MS = 3_600_000
_THREADS = 2


class MustBeReadAtOnce(Exception):
    """The file is small, compressed, of a format without parts, or has something to say of it."""


@dataclass(frozen=True)
class PartReader:
    """Reads large files of one series; the arguments are those of `read_candles`."""

    symbol: str | None = None
    interval: str | None = None
    timezone: str | None = None

    def read(self, path: Path) -> Iterator[Reading]:
        """The parts, oldest first. Raises `MustBeReadAtOnce` at any part, and `OSError`."""
        last: Reading | None = None
        count = 0
        try:
            for _, reading in read_ahead(lambda part: part(), self._parts(path), _THREADS):
                count += len(reading.candles)
                if count > MAX_CANDLES or not _continues(reading, last):
                    raise MustBeReadAtOnce
                yield reading
                last = reading
        except CoinfarmError:
            raise MustBeReadAtOnce from None

    def _parts(self, path: Path) -> Iterator[Callable[[], Reading]]:
        with path.open("rb") as file:
            start = file.read(_SAMPLE_BYTES)
            file.seek(0)
            if start.startswith(b"PAR1"):
                yield from self._parquet_parts(file, path.name)
                return
            if path.stat().st_size <= 2 * _PART_BYTES or b"\0" in start:
                raise MustBeReadAtOnce
            for text in _json_parts(file) if start.lstrip()[:1] == b"[" else _csv_parts(file, start):
                yield partial(read_candles, text, path.name, symbol=self.symbol, interval=self.interval, timezone=self.timezone)

    def _parquet_parts(self, file: BinaryIO, name: str) -> Iterator[Callable[[], Reading]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from coinfarm.candles.sources.arrow_columns import raw_table
        from coinfarm.candles.sources.arrow_files import wanted_columns

        hint = series_hint(name)
        expected = Expected(self.symbol, self.interval, self.timezone, hint.symbol, hint.interval)
        try:
            parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
            rows = parquet.metadata.num_rows
            columns = wanted_columns(parquet.schema_arrow)
            is_text = any(not pa.types.is_primitive(parquet.schema_arrow.field(name).type) for name in columns)
            if rows <= 2 * _PART_ROWS or is_text:  # text in every row might fill the memory
                raise MustBeReadAtOnce
            part_rows = -(-rows // (rows // _PART_ROWS))
            for batch in parquet.iter_batches(part_rows, columns=columns, use_threads=False):
                table = raw_table(pa.Table.from_batches([batch]), "Parquet")
                yield partial(read_table, table, expected)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            raise MustBeReadAtOnce from None


def _continues(part: Reading, last: Reading | None) -> bool:
    """Whether there is nothing to say of a part, and it follows the one before as if they were one file."""
    candles = part.candles
    if part.notes or len(candles) < _MIN_PART_CANDLES:
        return False
    if last is None:
        return True
    before: Candles = last.candles
    step_ms = candles.open_time[0] - before.open_time[-1]
    ratio = candles.columns.open[0] / before.columns.close[-1]
    return bool(
        (part.source, candles.symbol, candles.interval) == (last.source, before.symbol, before.interval)
        and candles.interval_ms <= step_ms <= candles.interval_ms + _MAX_BORDER_MS
        and 0.5 <= ratio <= 2
    )


def _csv_parts(file: BinaryIO, start: bytes) -> Iterator[bytes]:
    """Lines, each part below the header of the file."""
    dialect = detect_dialect(start[: start.rfind(b"\n") + 1].decode(errors="replace"))
    header = b"".join(file.readline() for _ in range(dialect.first_row))
    for lines, _ in _cut(file, b"\n"):
        if b'"' in lines:  # a cell may have several lines
            raise MustBeReadAtOnce
        yield header + lines


def _json_parts(file: BinaryIO) -> Iterator[bytes]:
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


def _cut(file: BinaryIO, end: bytes) -> Iterator[tuple[bytes, bool]]:
    """The rest of a file in parts that end with `end`, and whether each is the last one, which is up to twice as long."""
    size = os.fstat(file.fileno()).st_size
    rest = b""
    while size - file.tell() >= 2 * _PART_BYTES:
        text = rest + file.read(_PART_BYTES)
        stop = text.rfind(end) + 1
        if not stop:
            raise MustBeReadAtOnce
        rest = text[stop:]
        yield text[:stop], False
    yield rest + file.read(), True
