"""A coin: its candles without gaps, and the predictions aligned to them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.targets import targets_pct

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

RISE, DECLINE, END = range(3)
"""The columns of predictions, in the order of `coinfarm.outputs.OUTPUT_NAMES`."""
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class PredictedCoin:
    """`signal` `(n,)` is the index, in the gap-free `candles`, of the candle that ends each prediction's window, in order of time;
    `predicted_pct` `(n, 3)` is the prediction, `filled_candles` `(n,)` the number of filled candles in the window.

    The candles contain the complete horizon of every signal.
    """

    candles: Candles
    signal: Indices
    predicted_pct: Values
    filled_candles: Indices

    def __len__(self) -> int:
        return len(self.signal)

    @property
    def symbol(self) -> str:
        return self.candles.symbol

    @property
    def signal_ms(self) -> Times:
        """The open times of the signal candles."""
        return self.candles.open_time[self.signal]

    def rows(self, chosen: Mask | slice) -> "PredictedCoin":
        return PredictedCoin(self.candles, self.signal[chosen], self.predicted_pct[chosen], self.filled_candles[chosen])

    def between(self, start_ms: int, stop_ms: int) -> "PredictedCoin":
        """With the predictions whose signal candles open in `[start_ms, stop_ms)`."""
        first, last = np.searchsorted(self.signal_ms, [start_ms, stop_ms])
        return self.rows(slice(first, last))

    def with_predictions(self, predicted_pct: Values) -> "PredictedCoin":
        """The same signal candles with other predictions."""
        return replace(self, predicted_pct=predicted_pct)

    def actual_pct(self, horizon_candles: int) -> Values:
        """`(n, 3)`: the actual values of what is predicted."""
        actual = np.empty((len(self), len(OUTPUT_NAMES)))
        for first in range(0, len(self), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            actual[part] = targets_pct(self.candles.columns, self.signal[part], horizon_candles)
        return actual
