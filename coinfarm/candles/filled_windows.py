"""The rules for windows with gaps: one that is mostly filled is not used, and training and evaluation use none that crosses a gap."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles

MAX_FILLED_SHARE = 0.5
MAX_FILLED_IN_A_ROW = 30
"""More missing candles in a row are a gap; up to so many are taken for candles without trades."""


def filled_counts(candles: Candles, starts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """The number of filled candles in each window of `window` candles that starts at `starts` `(n,)`: `(n,)`."""
    filled_before = np.concatenate([[0], np.cumsum(candles.filled)])
    counts: NDArray[np.int64] = filled_before[starts + window] - filled_before[starts]
    return counts


def is_mostly_filled(filled: NDArray[np.int64], window: int) -> NDArray[np.bool_]:
    """Whether more than half of a window's candles are filled, for counts `(n,)` of them: `(n,)`."""
    return np.asarray(filled > MAX_FILLED_SHARE * window)


def crosses_gap(candles: Candles, starts: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """For each stretch of `length` candles from `starts` `(n,)`: whether more than `MAX_FILLED_IN_A_ROW` are filled in a row, `(n,)`."""
    run = MAX_FILLED_IN_A_ROW + 1
    begins_run = filled_counts(candles, np.arange(max(0, len(candles) - run + 1)), run) == run
    runs_before = np.concatenate([[0], np.cumsum(begins_run)])
    last = np.minimum(starts + max(0, length - run + 1), len(runs_before) - 1)
    found: NDArray[np.bool_] = runs_before[last] > runs_before[np.minimum(starts, last)]
    return found
