"""The circular block bootstrap: confidence intervals of means and ratios of autocorrelated series."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Draws = NDArray[np.float64]

_MAX_BLOCKS_IN_MEMORY = 1_000_000
"""The number of block sums in memory at a time, which bounds memory use."""


def block_bootstrap_means(values: ArrayLike, block: int, samples: int = 1000, seed: int = 0) -> Draws:
    """Means of `samples` resampled series, `(samples, k)`, of finite `values` `(n, k)` in order of time (`(n,)` is one column).

    Each resampled series has `n` values in blocks of `block` neighbours, the last block truncated. A block that begins near the end
    continues at the beginning, so every value is equally likely (Politis and Romano 1992, "A circular block-resampling procedure for
    stationary data"). The columns are resampled together, row by row. Deterministic. Ten million block sums take about a second.

    Raises `ValueError` if there are fewer values than two blocks, or values that are not finite.
    """
    columns = np.asarray(values, np.float64)
    if columns.ndim == 1:
        columns = columns[:, None]
    count, width = columns.shape
    if block < 1 or count < 2 * block:
        raise ValueError(f"{count} values make fewer than two blocks of {block}")
    if not np.isfinite(columns).all():
        raise ValueError("values must be finite")
    blocks = -(-count // block)
    means = columns.mean(axis=0)
    sums_before = _circular_sums(columns - means, block)  # centred, so that sums of millions of values stay precise
    random = np.random.default_rng(seed)
    draws = np.empty((samples, width))
    at_once = max(1, _MAX_BLOCKS_IN_MEMORY // blocks)
    last_block = count - (blocks - 1) * block
    for first in range(0, samples, at_once):
        part = draws[first : first + at_once]
        starts = random.integers(count, size=(len(part), blocks))
        for column, before in enumerate(sums_before.T):
            part[:, column] = (before[starts[:, :-1] + block] - before[starts[:, :-1]]).sum(axis=1)
            part[:, column] += before[starts[:, -1] + last_block] - before[starts[:, -1]]
    draws /= count
    draws += means
    return draws


def block_bootstrap_ratio(numerators: ArrayLike, denominators: ArrayLike, block: int, samples: int = 1000, seed: int = 0) -> Draws:
    """Ratios of the resampled sums of `numerators` and `denominators`, both `(n,)`: `(samples,)`, NaN where a denominator is zero.

    Both are resampled together, so a mean of values that exist at some times only is divided by their own count.
    Raises the errors of `block_bootstrap_means`.
    """
    top, bottom = block_bootstrap_means(np.column_stack([np.asarray(numerators), np.asarray(denominators)]), block, samples, seed).T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Draws = np.where(np.abs(bottom) > 1e-12, top / bottom, np.nan)
    return ratios


def percentile_interval(draws: Draws, level: float = 0.9) -> tuple[float, float]:
    """The central interval with the share `level` of the draws `(samples,)`. NaN draws are ignored; if all are NaN, so is the interval."""
    known = draws[~np.isnan(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _circular_sums(columns: Draws, block: int) -> Draws:
    """Cumulative sums before each position, `(n + block + 1, k)`, of the series followed by its first `block` values."""
    return np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(np.concatenate([columns, columns[:block]]), axis=0)])
