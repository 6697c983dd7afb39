"""The rules for windows with gaps: one that is mostly filled is not used, and training uses none that crosses a long gap."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles

MAX_FILLED_SHARE = 0.5
MAX_FILLED_IN_A_ROW = 30
"""More candles in a row are a gap, after which prices have moved by more than a candle can; fewer are candles without trades."""


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
    filled_before = np.concatenate([[0], np.cumsum(candles.filled)])
    ends_run = filled_before[run:] - filled_before[:-run] == run if len(filled_before) > run else np.zeros(0, bool)
    runs_before = np.concatenate([[0], np.cumsum(ends_run)])
    last = np.minimum(starts + max(0, length - run + 1), len(runs_before) - 1)
    found: NDArray[np.bool_] = runs_before[last] > runs_before[np.minimum(starts, last)]
    return found
