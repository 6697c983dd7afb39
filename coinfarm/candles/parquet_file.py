"""Candles in Parquet files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.candles.arrow_table import CANDLE_COLUMNS, candles_from_table, check_columns, check_row_count
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError, ErrorDetail

if TYPE_CHECKING:
    import pyarrow as pa


def candles_from_parquet(data: bytes, symbol: str, interval: str) -> Candles:
    """The candles of a Parquet file. Raises `CandleError`, and `TooLarge` for too many rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        # Checked before decompression: a few bytes can encode a text column of any length.
        check_row_count(file.metadata.num_rows)
        check_columns(file.schema_arrow)
        table = file.read(columns=list(CANDLE_COLUMNS), use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CandleError(ErrorDetail("", f"is not a Parquet file: {error}")) from None
    return candles_from_table(table, symbol, interval)


def parts_from_parquet(path: Path, symbol: str, interval: str, max_candles: int) -> Iterator[Candles]:
    """The candles of a Parquet file in parts of at most `max_candles`; only one part is in memory at a time.

    Raises `CandleError`, which counts candles from the beginning of the file, and `OSError`.
    """
    candles_before, last_ms = 0, None
    for table in _read_batches(path, max_candles):
        try:
            part = candles_from_table(table, symbol, interval)
        except CandleError as error:
            raise CandleError(*(ErrorDetail(_shifted(item.pointer, candles_before), item.detail) for item in error.errors)) from None
        if last_ms is not None and part.open_time[0] <= last_ms:
            raise CandleError(
                ErrorDetail(
                    f"/candles/{candles_before}/openTime", "is not later than the candle before it: sort candles from oldest to newest"
                )
            )
        candles_before, last_ms = candles_before + len(part), part.open_time[-1]
        yield part


def has_candle_columns(path: Path) -> bool:
    """Whether a file is Parquet with the columns `CANDLE_COLUMNS` as numbers. Raises `OSError`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_columns(pq.read_schema(path))
    except (pa.ArrowException, CandleError, UnicodeDecodeError):
        return False
    return True


def parquet_from_candles(candles: Candles) -> bytes:
    """The candles as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    columns = dict(zip(CANDLE_COLUMNS, (candles.open_time, *candles.columns), strict=True))
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return bytes(sink.getvalue())


def _read_batches(path: Path, max_rows: int) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            check_columns(file.schema_arrow)
            if not file.metadata.num_rows:
                yield file.read(columns=list(CANDLE_COLUMNS), use_threads=False)
            for batch in file.iter_batches(max_rows, columns=list(CANDLE_COLUMNS), use_threads=False):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise CandleError(ErrorDetail("", f"is not a Parquet file: {error}")) from None


def _shifted(pointer: str, count: int) -> str:
    """`/candles/17/high` of a part that begins with candle `count` of its file, counted from the file's first candle."""
    return re.sub(r"(?<=^/candles/)[0-9]+", lambda number: str(int(number[0]) + count), pointer)
