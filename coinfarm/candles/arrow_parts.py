"""Parquet and Feather files as raw tables part by part: only a part is in memory at a time."""

import mmap
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from coinfarm.candles.sources.arrow_columns import raw_table
from coinfarm.candles.sources.arrow_files import open_parquet, wanted_columns
from coinfarm.candles.sources.compression import BLOCK_BYTES
from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.feather_size import unpacked_bytes
from coinfarm.candles.sources.raw_table import RawTable

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_parts(file: IO[bytes], rows: int, limits: Limits) -> Iterator[RawTable]:
    """The rows of an open file in tables of at least `rows`; a shorter file is one.

    Raises `CandleError`, `TooLarge` for more than the limits, and the errors of Arrow.
    """
    parquet = open_parquet(file, limits, BLOCK_BYTES)
    batches = parquet.iter_batches(rows, columns=wanted_columns(parquet.schema_arrow), use_threads=False)
    return (raw_table(table, "Parquet") for table in _tables(batches, rows))


def feather_parts(file: IO[bytes], rows: int, limits: Limits) -> Iterator[RawTable]:
    """The same of a Feather file, and `ValueError` for a damaged one."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        limits.check_bytes(unpacked_bytes(data))
    return (raw_table(table, "Feather") for table in _tables(_feather_batches(file), rows))


def _feather_batches(file: IO[bytes]) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    reader = pa.ipc.open_file(file)
    names = wanted_columns(reader.schema)
    for at in range(reader.num_record_batches):
        yield reader.get_batch(at).select(names)


def _tables(batches: "Iterator[pa.RecordBatch]", rows: int) -> "Iterator[pa.Table]":
    """Tables of at least so many rows. What is left at the end is added to the last, because few rows confirm little."""
    import pyarrow as pa

    part: list[pa.RecordBatch] = []
    following: list[pa.RecordBatch] = []
    for batch in batches:
        following.append(batch)
        if sum(map(len, following)) >= rows:
            if part:
                yield pa.Table.from_batches(part)
            part, following = following, []
    yield pa.Table.from_batches([*part, *following])
