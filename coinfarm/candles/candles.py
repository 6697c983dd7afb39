"""Validated candles as typed columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times
from coinfarm.candles.interval import canonical_interval, interval_ms
from coinfarm.candles.validation import MAX_ERRORS, as_milliseconds, candle_errors
from coinfarm.errors import CandleError, ErrorDetail
from image_render.windows import Columns


@dataclass(frozen=True, eq=False)
class Candles:
    """Candles of one symbol and interval, in order of time; every column has the shape `(n,)`.

    `interval` is in its canonical spelling. `open_time` is int64, milliseconds UTC; prices and `volume` are float64, in the market's units;
    `filled` is True for missing candles that `fill_gaps` inserted.
    """

    symbol: str
    interval: str
    open_time: Times
    columns: Columns
    filled: NDArray[np.bool_]

    @classmethod
    def checked(cls, symbol: str, interval: str, open_time: Times, columns: Columns) -> "Candles":
        """Validate raw columns; `open_time` is in milliseconds or microseconds.

        Raises `CandleError`, which lists the first ten errors, for times off the interval's grid, duplicate or out of order, and for
        invalid prices and volumes.
        """
        open_time = as_milliseconds(np.asarray(open_time, np.int64))
        columns = Columns(*(np.asarray(column, np.float64) for column in columns))
        errors = list(candle_errors(open_time, columns, interval))
        if errors:
            errors.sort(key=lambda error: error[0])
            raise CandleError(*(ErrorDetail(f"/candles/{at}/{field}", detail) for at, field, detail in errors[:MAX_ERRORS]))
        return cls(symbol, canonical_interval(interval), open_time, columns, np.zeros(len(open_time), np.bool_))

    @classmethod
    def concatenate(cls, symbol: str, interval: str, parts: Sequence["Candles"]) -> "Candles":
        """Concatenate parts that follow each other in time; no parts give an empty series. Nothing is validated."""
        return cls(
            symbol,
            canonical_interval(interval),
            np.concatenate([np.zeros(0, np.int64), *(part.open_time for part in parts)]),
            Columns(*(np.concatenate([np.zeros(0), *(part.columns[at] for part in parts)]) for at in range(len(Columns._fields)))),
            np.concatenate([np.zeros(0, np.bool_), *(part.filled for part in parts)]),
        )

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def interval_ms(self) -> int:
        return interval_ms(self.interval)

    def between(self, start_ms: int | None, stop_ms: int | None) -> "Candles":
        """The candles that open in `[start_ms, stop_ms)`; None means no bound."""
        first = 0 if start_ms is None else int(np.searchsorted(self.open_time, start_ms))
        last = len(self) if stop_ms is None else int(np.searchsorted(self.open_time, stop_ms))
        return self[first : max(first, last)]

    def __getitem__(self, part: slice) -> "Candles":
        return Candles(
            self.symbol,
            self.interval,
            self.open_time[part],
            Columns(*(column[part] for column in self.columns)),
            self.filled[part],
        )
