"""The effective number of observations that overlap in time."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values


def independent_count(start_ms: Times, stop_ms: Times) -> float:
    """The sum of the observations' uniqueness: the mean, over the time `[start, stop)` of each, of 1 / (number of concurrent observations).

    Three coins held at the same time count little more than one; horizons of 30 candles that begin one candle apart count 1/30 each.
    Source: López de Prado 2018, "Advances in Financial Machine Learning", section 4.4. `(n,)` each; `start < stop`.
    """
    if not len(start_ms):
        return 0.0
    edges, at = np.unique(np.concatenate([start_ms, stop_ms]), return_inverse=True)
    first, last = at[: len(start_ms)], at[len(start_ms) :]
    steps = np.bincount(first, minlength=len(edges)) - np.bincount(last, minlength=len(edges))
    concurrent = np.cumsum(steps)[:-1]
    lengths = np.diff(edges).astype(np.float64)
    shared: Values = np.append(0.0, np.cumsum(lengths / np.maximum(concurrent, 1)))
    uniqueness: NDArray[np.float64] = (shared[last] - shared[first]) / (stop_ms - start_ms)
    return float(uniqueness.sum())
