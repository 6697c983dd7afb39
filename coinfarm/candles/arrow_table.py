"""Arrow tables of candles, which CSV and Parquet files are read into.

Here and elsewhere Arrow works without its thread pool (`use_threads=False`): a process that ends while the pool starts a thread is
aborted, with exit code 134 (https://github.com/apache/arrow/issues/34314).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coinfarm.candles.candles import Candles
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CandleError, ErrorDetail, TooLarge, shortened
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow as pa

CANDLE_COLUMNS = ("open_time", *Columns._fields)
_MAX_NAMES_LENGTH = 100


def candles_from_table(table: "pa.Table", symbol: str, interval: str) -> Candles:
    """The validated candles of a table. Raises `CandleError`."""
    check_columns(table.schema)
    if not len(table):
        raise CandleError(ErrorDetail("", "has no candles"))
    for name in CANDLE_COLUMNS:
        column = table[name]
        if column.null_count:
            raise CandleError(ErrorDetail(f"/candles/{column.is_null().index(True).as_py()}/{name}", "is missing"))
    time, *values = (table[name].to_numpy() for name in CANDLE_COLUMNS)
    return Candles.checked(symbol, interval, time, Columns(*values))


def check_row_count(count: int) -> None:
    """Raise `TooLarge` for more than `MAX_CANDLES` rows."""
    if count > MAX_CANDLES:
        raise TooLarge(f"the file has {count:,} rows, more than {MAX_CANDLES:,}: split it")


def check_columns(schema: "pa.Schema") -> None:
    """Raise `CandleError` unless the schema has each of `CANDLE_COLUMNS` exactly once, as numbers."""
    import pyarrow as pa

    try:
        names = schema.names
    except UnicodeDecodeError:
        raise CandleError(ErrorDetail("", "has a column name that is not UTF-8 text")) from None
    check_column_names(names)
    for name in CANDLE_COLUMNS:
        kind = schema.field(name).type
        is_right_type, expected = (pa.types.is_integer, "integers") if name == "open_time" else (_is_number, "numbers")
        if not is_right_type(kind):
            raise CandleError(ErrorDetail(f"/{name}", f"must be a column of {expected}, not of {kind}"))


def check_column_names(names: Sequence[str]) -> None:
    """Raise `CandleError` unless each of `CANDLE_COLUMNS` is among the names exactly once."""
    for name in CANDLE_COLUMNS:
        count = names.count(name)
        if count != 1:
            found = f"has {count} columns {name}" if count else f"has no column {name}"
            expected = f"expected {', '.join(CANDLE_COLUMNS)}, found {shortened(', '.join(names), _MAX_NAMES_LENGTH)}"
            raise CandleError(ErrorDetail("", f"{found}; {expected}. docs/candles.md shows how to convert it"))


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
