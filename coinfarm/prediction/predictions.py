"""What the predictor returns: one row per window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row per window, oldest first.

    `open_time` and `close_time` `(n,)` are the window's, int64 milliseconds UTC. `in_sample` is None where the model does not tell what it
    has learnt from. `values_pct` is `(n, 3)`, the outputs in percent of the window's last close, NaN in rows of which more than half the
    candles were made up.
    """

    open_time: Times
    close_time: Times
    filled_candles: NDArray[np.int64]
    in_sample: NDArray[np.bool_] | None
    values_pct: Values

    def __len__(self) -> int:
        return len(self.values_pct)
