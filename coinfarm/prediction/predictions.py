"""The result of the predictor: one row per window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row per window, oldest first.

    `open_time` and `close_time` `(n,)` are those of the window, int64 milliseconds UTC. `in_sample` is None if the model's training data is
    unknown. `values_pct` `(n, 3 * horizons)` are the outputs in percent of the window's last close, those of the model's first horizon and
    then of each of `further_horizons`; NaN if more than half of the window's candles were filled.
    """

    open_time: Times
    close_time: Times
    filled_candles: NDArray[np.int64]
    in_sample: NDArray[np.bool_] | None
    values_pct: Values
    further_horizons: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.values_pct)
