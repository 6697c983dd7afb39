"""Candles in tables of other libraries: pandas, polars, Arrow, structured NumPy arrays."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.sources.arrow_columns import raw_table
from coinfarm.candles.sources.raw_table import DATA_FRAME
from coinfarm.candles.sources.reader import Expected, read_table
from coinfarm.errors import CandleError, CandleWarning, ErrorDetail

if TYPE_CHECKING:
    import pyarrow as pa

UNKNOWN_SYMBOL = "UNKNOWN"


def candles_from_data_frame(table: Any, symbol: str | None = None, interval: str | None = None) -> Candles:
    """The validated candles of a pandas or polars data frame, an Arrow table, a mapping of arrays, or a structured NumPy array.

    Columns are recognised as those of a file are: `open_time`, `date`, `timestamp` and the like (numbers since 1970 in any unit, or
    timestamps; naive ones are UTC), `open`, `high`, `low`, `close` and `volume`; in pandas an index of times will do. If `interval` is
    omitted, the most frequent step between candles is used. What was dropped or looks wrong is a `CandleWarning`. Raises `CandleError`.
    """
    reading = read_table(raw_table(arrow_table(table), DATA_FRAME), Expected(symbol, interval), UNKNOWN_SYMBOL)
    for note in reading.notes:
        warnings.warn(note, CandleWarning, stacklevel=2)
    return reading.candles


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
