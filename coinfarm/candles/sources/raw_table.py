"""Columns of cells as a file has them, before anyone knows what they mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.sources.quantities import quantity
from coinfarm.errors import CandleError, ErrorDetail, shortened

_MAX_NAMES_LENGTH = 200
_NULLS = frozenset({"", "nan", "null", "none", "na", "n/a", "-"})


DATA_FRAME = "data frame"
"""The form of a table that is in memory already; its times without a zone are UTC, as its documentation says."""


@dataclass(frozen=True, eq=False)
class RawColumn:
    """Cells `(n,)`: int64, float64 (NaN: no value), datetime64[ms] (NaT: no value) or objects (text, numbers, None)."""

    values: NDArray[Any]
    has_zone: bool = False
    """Whether datetime64 cells came with a time zone, and so are UTC."""

    @classmethod
    def of_cells(cls, cells: Sequence[Any]) -> "RawColumn":
        """From Python objects, as JSON has them."""
        kinds = set(map(type, cells))
        if kinds == {int}:
            try:
                return cls(np.array(cells, np.int64))
            except OverflowError:
                return cls(np.array([float(cell) for cell in cells]))
        if kinds <= {int, float}:
            return cls(np.array(cells, np.float64))
        values = np.empty(len(cells), object)
        values[:] = cells
        return cls(values)

    @property
    def is_text(self) -> bool:
        """Whether the cells are objects, text among them."""
        return self.values.dtype == object

    def first_text(self) -> str:
        """The first cell that has a value, as text; empty if there is none."""
        return next((str(cell).strip() for cell in self.values[:1000].tolist() if not is_null(cell)), "")

    def take(self, rows: NDArray[Any]) -> "RawColumn":
        return RawColumn(self.values[rows], self.has_zone)


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns of the same length, with names or, in rows without a header, without."""

    columns: Sequence[RawColumn]
    names: tuple[str, ...] | None = None
    form: str = "JSON"
    symbol: str | None = None
    """What the file says around its rows, as `"ticker": "X:BTCUSD"` does."""
    interval: str | None = None
    locate: Callable[[int], str] = field(default=lambda row: f"candle {row}")
    """Where a row is, for messages: `line 17`."""

    def __post_init__(self) -> None:
        lengths = {len(column.values) for column in self.columns}
        if len(lengths) > 1:
            raise CandleError(ErrorDetail("", f"has columns of different lengths, from {min(lengths):,} to {max(lengths):,} rows"))

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def shown_names(self) -> str:
        """The file's own columns, for messages."""
        if self.names is None:
            first = ", ".join(shortened(column.first_text(), 20) for column in self.columns)
            return f"{len(self.columns)} columns without names, such as {shortened(first, _MAX_NAMES_LENGTH)}"
        return f"the columns {shortened(', '.join(self.names), _MAX_NAMES_LENGTH)}"


def is_null(cell: Any) -> bool:
    """Whether a cell has no value."""
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in _NULLS) or (isinstance(cell, float) and cell != cell)


def numbers(column: RawColumn, table: RawTable, name: str) -> Values:
    """The cells as float64 `(n,)`, NaN for those without a value. Raises `CandleError` that counts those that are no numbers."""
    values = column.values
    if values.dtype.kind in "iufb":
        return np.asarray(values, np.float64)
    if values.dtype.kind == "M":
        raise CandleError(ErrorDetail("", f"the column {name} must have numbers, not times"))
    found, wrong = np.full(len(values), np.nan), []
    for at, cell in enumerate(values.tolist()):
        try:
            if type(cell) is str:
                if "_" in cell:  # Python reads 1_000 as a thousand
                    raise ValueError
                found[at] = float(cell)
            elif type(cell) in (int, float):
                found[at] = cell
            elif cell is not None:
                raise TypeError
        except (TypeError, ValueError):
            value = quantity(cell) if type(cell) is str else None
            if value is not None:
                found[at] = value
            elif not is_null(cell):
                wrong.append(at)
        except OverflowError:
            found[at] = np.inf
    if wrong:
        first = values[wrong[0]]
        shown = f"{first!r:.40}" if isinstance(first, str) else type(first).__name__
        raise CandleError(ErrorDetail("", f"{counted(wrong, len(values), table)}: {name} must be a number, not {shown}"))
    return found


def counted(rows: Sequence[int] | NDArray[Any], total: int, table: RawTable) -> str:
    """Which rows have a fault: `all 1,440 rows`, `line 17`, `12 rows, the first is line 17`."""
    where = table.locate(int(rows[0]))
    if len(rows) == 1:
        return where
    return f"all {total:,} rows" if len(rows) == total else f"{len(rows):,} rows, the first is {where}"
