"""A coin: its market without holes, and the predictions laid upon it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.labels import targets_pct
from coinfarm.outputs import OUTPUT_NAMES

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

RISE, DECLINE, END = range(3)
"""The columns of predictions, in the order of `coinfarm.outputs.OUTPUT_NAMES`."""
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class Coin:
    """`candles` are on an unbroken grid. `signal` `(n,)` is the index of the candle that ends each prediction's window, in order of time;
    `predicted_pct` `(n, 3)` and `filled_candles` `(n,)` are what was predicted there. Every signal has its whole horizon among the candles.
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
        """When the candles opened that end the windows."""
        return self.candles.open_time[self.signal]

    def rows(self, chosen: Mask | slice) -> "Coin":
        return Coin(self.candles, self.signal[chosen], self.predicted_pct[chosen], self.filled_candles[chosen])

    def between(self, start_ms: int, stop_ms: int) -> "Coin":
        """With the predictions whose windows end in `[start_ms, stop_ms)`."""
        first, last = np.searchsorted(self.signal_ms, [start_ms, stop_ms])
        return self.rows(slice(first, last))

    def predicting(self, predicted_pct: Values) -> "Coin":
        """The same moments with other predictions."""
        return replace(self, predicted_pct=predicted_pct)

    def actual_pct(self, horizon_candles: int) -> Values:
        """`(n, 3)`: what came after each signal, as the predictions tell it."""
        actual = np.empty((len(self), len(OUTPUT_NAMES)))
        for first in range(0, len(self), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            actual[part] = targets_pct(self.candles.columns, self.signal[part], horizon_candles)
        return actual
