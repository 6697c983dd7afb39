"""The columns of a table once their meaning is known: arrays of the same length, from which rows can be dropped and sorted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.sources.catalogue import Source
from coinfarm.candles.sources.evidence import Prices
from coinfarm.candles.sources.raw_table import RawTable, is_null, numbers
from coinfarm.candles.sources.times import parse_times
from coinfarm.candles.sources.zones import Zone
from coinfarm.errors import CandleError, ErrorDetail

NUMBERS = ("open", "high", "low", "close", "volume", "quote_volume", "count", "vwap", "contracts")


@dataclass(frozen=True, eq=False)
class MeantColumns:
    """`arrays` by meaning, each `(n,)`: `open_time` (int64, milliseconds UTC), prices and volumes (float64), `confirm` (bool).

    `rows` are their rows in the table, for messages.
    """

    source: Source
    table: RawTable
    arrays: Mapping[str, NDArray[Any]]
    rows: NDArray[np.intp]
    is_clock: bool
    """Whether the times are a clock's, whose zone nobody has named."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def open_time(self) -> Times:
        return self.arrays["open_time"]

    @property
    def prices(self) -> Prices:
        return Prices(*(self.arrays[name] for name in Prices._fields))

    @property
    def volume(self) -> Values:
        return self.arrays["volume"]

    def take(self, rows: NDArray[Any]) -> "MeantColumns":
        """The rows at these positions, or where a mask is True."""
        return replace(self, arrays={name: array[rows] for name, array in self.arrays.items()}, rows=self.rows[rows])

    def with_arrays(self, **changed: NDArray[Any]) -> "MeantColumns":
        return replace(self, arrays={**self.arrays, **changed})

    def place(self, at: int) -> str:
        """Where the row at a position is in the file, such as `line 17`."""
        return self.table.locate(int(self.rows[at]))


def meant_columns(table: RawTable, source: Source, mapping: Mapping[str, int], zone: Zone | None) -> MeantColumns:
    """Convert the cells of a table to arrays. Raises `CandleError` for cells that are not what they are meant to be."""
    arrays: dict[str, NDArray[Any]] = {}
    is_clock = False
    clock = table.columns[mapping["clock"]] if "clock" in mapping else None
    for name in ("open_time", "date", "close_time"):
        if name in mapping:
            parsed = parse_times(
                table.columns[mapping[name]], clock if name == "date" else None, table, zone, clock_numbers=source.clock_numbers
            )
            arrays["open_time" if name == "date" else name] = parsed.open_time
            is_clock |= parsed.is_clock
    for name in NUMBERS:
        if name in mapping:
            arrays[name] = numbers(table.columns[mapping[name]], table, column_name(table, mapping[name], name))
    if "confirm" in mapping:
        arrays["confirm"] = np.array([_is_true(cell) for cell in table.columns[mapping["confirm"]].values.tolist()], np.bool_)
    return MeantColumns(source, table, arrays, np.arange(len(table)), is_clock)


def column_name(table: RawTable, at: int, meaning: str) -> str:
    """What the file calls a column, or what it means in a row without names."""
    return table.names[at] if table.names else f"{meaning} (field {at + 1})"


def _is_true(cell: Any) -> bool:
    if is_null(cell):
        return True
    return str(cell).strip().lower() not in ("0", "0.0", "false", "no")


def require_rows(columns: MeantColumns) -> None:
    """Raise `CandleError` if no row is left."""
    if not len(columns):
        raise CandleError(ErrorDetail("", "has no candles"))
