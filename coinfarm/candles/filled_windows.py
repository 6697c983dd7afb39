"""The one rule for windows with gaps: a window that is mostly filled is not used for prediction, training or evaluation."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles

MAX_FILLED_SHARE = 0.5


def filled_counts(candles: Candles, starts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """The number of filled candles in each window of `window` candles that starts at `starts` `(n,)`: `(n,)`."""
    filled_before = np.concatenate([[0], np.cumsum(candles.filled)])
    counts: NDArray[np.int64] = filled_before[starts + window] - filled_before[starts]
    return counts


def is_mostly_filled(filled: NDArray[np.int64], window: int) -> NDArray[np.bool_]:
    """Whether more than half of a window's candles are filled, for counts `(n,)` of them: `(n,)`."""
    return np.asarray(filled > MAX_FILLED_SHARE * window)
