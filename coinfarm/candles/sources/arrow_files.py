"""Parquet and Feather files as raw tables. Only the columns that may mean something are decompressed."""

from typing import IO, TYPE_CHECKING

from coinfarm.candles.sources.arrow_columns import raw_table, schema_names
from coinfarm.candles.sources.catalogue import SOURCE_NAMES
from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.feather_size import unpacked_bytes
from coinfarm.candles.sources.headers import INDEX_NAMES, meanings, normalised
from coinfarm.candles.sources.raw_table import RawTable
from coinfarm.errors import CandleError, ErrorDetail

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def table_from_parquet(data: bytes, limits: Limits) -> RawTable:
    """Raises `CandleError`, and `TooLarge` for more than the limits."""
    import pyarrow as pa

    try:
        file = open_parquet(pa.BufferReader(data), limits)
        table = file.read(columns=wanted_columns(file.schema_arrow), use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CandleError(ErrorDetail("", f"is not a Parquet file that can be read: {error}")) from None
    return raw_table(table, "Parquet")


def open_parquet(source: "pa.NativeFile | IO[bytes]", limits: Limits, buffer_bytes: int = 0) -> "pq.ParquetFile":
    """A file of which each text that repeats is in memory once; `buffer_bytes` are read at a time, a whole column if that is zero.

    Raises `TooLarge`, `CandleError` and the errors of Arrow.
    """
    import pyarrow.parquet as pq

    schema = pq.read_schema(source)
    texts = [name for name in wanted_columns(schema) if _is_text(schema.field(name).type)]
    source.seek(0)
    # unencoded, a text in every row might fill the memory
    file = pq.ParquetFile(source, read_dictionary=texts, pre_buffer=False, buffer_size=buffer_bytes)
    limits.check_rows(file.metadata.num_rows)
    # Of all columns: to ask for that of one ends the process if the file is damaged.
    limits.check_bytes(sum(file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups)))
    return file


def table_from_feather(data: bytes, limits: Limits) -> RawTable:
    """Raises `CandleError`, and `TooLarge` for more than the limits."""
    import pyarrow as pa

    try:
        limits.check_bytes(unpacked_bytes(data))
        with pa.ipc.open_file(pa.BufferReader(data)) as file:
            names = wanted_columns(file.schema)
            parts, rows = [], 0
            for at in range(file.num_record_batches):
                part = file.get_batch(at)
                rows += part.num_rows
                limits.check_rows(rows)
                parts.append(part.select(names))
            schema = pa.schema([file.schema.field(name) for name in names])
        table = pa.Table.from_batches(parts, schema)
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError) as error:
        raise CandleError(ErrorDetail("", f"is not a Feather file that can be read: {error}")) from None
    return raw_table(table, "Feather")


def wanted_columns(schema: "pa.Schema") -> list[str]:
    """The names of the columns that may mean something, all if none does. Raises `CandleError` for a name that exists twice."""
    names = schema_names(schema)
    found = sorted({at for columns in meanings(names, {}, None).values() for at in columns})
    found += [at for at, name in enumerate(names) if normalised(name) in INDEX_NAMES | SOURCE_NAMES and at not in found]
    usable = [at for at in found or range(len(names)) if _may_have_cells(schema.field(at).type)]
    for at in usable:
        if names.count(names[at]) > 1:
            raise CandleError(ErrorDetail("", f"has {names.count(names[at])} columns {names[at]}"))
    return [names[at] for at in usable]


def _may_have_cells(kind: "pa.DataType") -> bool:
    """Whether a column can be numbers, times or texts. Bytes cannot, and each of them may be a megabyte."""
    import pyarrow as pa

    types = pa.types
    return _is_text(kind) or any(is_kind(kind) for is_kind in (types.is_primitive, types.is_decimal, types.is_dictionary))


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
