"""Arrow's columns as raw ones, and Parquet, Feather and Arrow tables as raw tables."""

from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candles.sources.raw_table import RawColumn, RawTable
from coinfarm.errors import CandleError, ErrorDetail, TooLarge

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_COLUMNS = 500


def raw_column(column: "pa.ChunkedArray") -> RawColumn:
    """An Arrow column: numbers without a copy where that is possible."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _from_dictionary(column.combine_chunks())
    if pa.types.is_timestamp(kind):
        milliseconds = pc.floor_temporal(column, unit="millisecond") if kind.unit in ("us", "ns") else column
        plain = milliseconds.cast(pa.timestamp("ms", kind.tz)).cast(pa.int64()).fill_null(np.iinfo(np.int64).min)
        return RawColumn(plain.to_numpy().view("datetime64[ms]"), kind.tz is not None)
    if pa.types.is_date(kind):
        return raw_column(column.cast(pa.timestamp("ms")))
    if pa.types.is_decimal(kind):
        return raw_column(column.cast(pa.float64()))
    if pa.types.is_integer(kind):
        if column.null_count or pa.types.is_uint64(kind):
            return RawColumn(column.cast(pa.float64(), safe=False).to_numpy())
        return RawColumn(column.cast(pa.int64()).to_numpy())
    if pa.types.is_floating(kind):
        return RawColumn(np.asarray(column.to_numpy(), np.float64))
    if pa.types.is_null(kind):
        return RawColumn(np.full(len(column), np.nan))
    if not pa.types.is_string(kind) and not pa.types.is_large_string(kind):
        values = np.empty(len(column), object)
        values[:] = column.to_pylist()
        return RawColumn(values)
    return _from_dictionary(column.combine_chunks().dictionary_encode())


def _from_dictionary(column: "pa.DictionaryArray") -> RawColumn:
    """The values of an encoded column; equal ones are one object, so that a long text in every row takes no memory."""
    count = len(column.dictionary)
    indices = column.indices.fill_null(count).to_numpy(zero_copy_only=False)
    used, at = np.unique(indices, return_inverse=True)  # the dictionary may be that of a much longer column
    if len(used) and not 0 <= used[0] <= used[-1] <= count:
        raise CandleError(ErrorDetail("", "has a damaged column of text: copy or download it again"))
    texts = np.empty(len(used), object)
    known = used[used < count]
    texts[: len(known)] = column.dictionary.take(known).to_pylist()
    return RawColumn(texts[at])


def raw_table(table: "pa.Table", form: str) -> RawTable:
    """A table with named columns. Raises `CandleError` for names that are not UTF-8 and for nested values."""
    import pyarrow as pa

    names = schema_names(table.schema)
    usable = [at for at in range(len(names)) if not pa.types.is_nested(table.schema.field(at).type)]
    try:
        columns = [raw_column(table.column(at)) for at in usable]
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise CandleError(ErrorDetail("", f"has a column that cannot be read: {error}")) from None
    return RawTable(columns, tuple(names[at] for at in usable), form, locate=lambda row: f"row {row}")


def schema_names(schema: "pa.Schema") -> list[str]:
    """The names of the columns. Raises `CandleError` for one that is not UTF-8."""
    try:
        names: list[str] = schema.names
    except UnicodeDecodeError:
        raise CandleError(ErrorDetail("", "has a column name that is not UTF-8 text")) from None
    if len(names) > _MAX_COLUMNS:
        raise TooLarge(f"the file has {len(names):,} columns, more than {_MAX_COLUMNS}: keep those of the candles")
    return names
