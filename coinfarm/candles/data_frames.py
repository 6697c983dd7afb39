"""Candles in tables of other libraries: pandas, polars, Arrow, structured NumPy arrays."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.arrow_table import CANDLE_COLUMNS, candles_from_table, check_column_names, check_columns
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_name
from coinfarm.candles.validation import MIN_MILLISECONDS, as_milliseconds
from coinfarm.errors import CandleError, ErrorDetail

if TYPE_CHECKING:
    import pyarrow as pa

UNKNOWN_SYMBOL = "UNKNOWN"
_INDEX = "__index_level_0__"
"""What pandas calls an index without a name."""


def candles_from_data_frame(table: Any, symbol: str | None = None, interval: str | None = None) -> Candles:
    """The validated candles of a pandas or polars data frame, an Arrow table, a mapping of arrays, or a structured NumPy array.

    It needs the columns `open_time` (integers in milliseconds UTC, or timestamps; naive ones are UTC), `open`, `high`, `low`, `close` and
    `volume`; others are ignored. In pandas an index of timestamps can be used instead of `open_time`. If `interval` is omitted, the most
    frequent step between candles is used. Raises `CandleError`.
    """
    arrow = _with_millisecond_times(arrow_table(table))
    return candles_from_table(arrow, symbol or UNKNOWN_SYMBOL, interval or _most_frequent_step(arrow))


def arrow_table(table: Any) -> "pa.Table":
    """Convert to an Arrow table, usually without copying. Raises `CandleError` for unsupported types."""
    import pyarrow as pa

    if isinstance(table, np.ndarray) and table.dtype.names:
        return pa.table({name: np.ascontiguousarray(table[name]) for name in table.dtype.names})
    if isinstance(table, (pa.Table, Mapping)) or hasattr(table, "__arrow_c_stream__"):
        try:
            return pa.table(table)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise CandleError(ErrorDetail("", f"the table cannot be read: {error}")) from error
    raise CandleError(
        ErrorDetail(
            "",
            f"candles cannot be read from {type(table).__name__}: pass a path, a pandas (2.2 or later), polars or Arrow table, "
            "a structured NumPy array, or a mapping of arrays",
        )
    )


def _with_millisecond_times(table: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    names = ["open_time" if name == _INDEX and "open_time" not in table.column_names else name for name in table.column_names]
    table = table.rename_columns(names)
    check_column_names(names)
    times = table["open_time"]
    if pa.types.is_timestamp(times.type):
        try:
            times = times.cast(pa.timestamp("ms", times.type.tz)).cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise CandleError(ErrorDetail("/open_time", f"must be whole milliseconds: {error}")) from None
    columns = table.select(list(CANDLE_COLUMNS)).set_column(0, "open_time", times)
    check_columns(columns.schema)
    return columns


def _most_frequent_step(table: "pa.Table") -> str:
    times = as_milliseconds(table["open_time"].drop_null().to_numpy())
    if len(times) < 2:
        raise CandleError(
            ErrorDetail("/open_time", "the interval cannot be inferred from fewer than two candles: pass it, for example interval='1m'")
        )
    if times.max() < MIN_MILLISECONDS:
        raise CandleError(ErrorDetail("/open_time", "must be milliseconds since 1970, not seconds"))
    steps, counts = np.unique(np.abs(np.diff(times)), return_counts=True)
    return interval_name(int(steps[counts.argmax()]))
