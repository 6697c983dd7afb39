"""The probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

Source: Bailey, Borwein, López de Prado and Zhu 2017, "The Probability of Backtest Overfitting", Journal of Computational Finance.
"""

from itertools import combinations
from math import nan

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values

_MAX_BLOCKS = 16
_MIN_DAYS_PER_BLOCK = 5


def overfitting_probability(daily_net: Values) -> float:
    """The probability that the variant with the best Sharpe ratio on one half of the days is worse than the median on the other half.

    `daily_net` `(days, variants)` is the net profit of each variant. The days are split into blocks; every choice of half of the blocks is
    one case. NaN for fewer than two variants or twenty days.
    """
    days, variants = daily_net.shape
    blocks = min(_MAX_BLOCKS, 2 * (days // (2 * _MIN_DAYS_PER_BLOCK)))
    if variants < 2 or blocks < 4:
        return nan
    parts = np.array_split(daily_net, blocks)
    count = np.array([len(part) for part in parts], np.float64)
    total = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    chosen = np.zeros((len(halves := list(combinations(range(blocks), blocks // 2))), blocks))
    chosen[np.arange(len(halves))[:, None], np.array(halves)] = 1.0
    inside, outside = (_sharpe_ratios(half, count, total, squares) for half in (chosen, 1.0 - chosen))
    best = inside.argmax(axis=1)[:, None]
    of_best = np.take_along_axis(outside, best, axis=1)
    # The relative rank of the best variant, where equal ratios share theirs.
    rank = (outside < of_best).sum(axis=1) + 0.5 * ((outside == of_best).sum(axis=1) - 1)
    return float((rank < (variants - 1) / 2.0).mean() + 0.5 * (rank == (variants - 1) / 2.0).mean())


def _sharpe_ratios(chosen: Values, count: Values, total: Values, squares: Values) -> NDArray[np.float64]:
    """`(cases, variants)`: per day, on the blocks `(cases, blocks)` that are chosen; 0 for a variant that does not vary."""
    days = (chosen @ count)[:, None]
    mean = chosen @ total / days
    variance = np.maximum(chosen @ squares / days - mean**2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 1e-12 * (mean**2 + 1e-300), mean / np.sqrt(variance), 0.0)
