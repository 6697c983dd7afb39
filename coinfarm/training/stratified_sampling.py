"""Stratified sampling of windows: no interval, coin or market regime dominates the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.training.candle_arrays import allocate_array, split_range
from coinfarm.training.dataset import WindowDataset
from image_render.spec import STANDARD

TERCILES = 3
STRATA_PER_SERIES = TERCILES * TERCILES
_WINDOWS_AT_ONCE = 100_000
_MAX_BOUNDS_WINDOWS = 100_000
"""How many evenly spaced windows the terciles of a series are computed from: neighbours are nearly the same."""


def trend(dataset: WindowDataset, chosen: slice) -> Values:
    """The trend of each chosen window, `(n,)`: (last close - first close) / price range, from -1 to 1."""
    starts, series_index = dataset.starts[chosen], dataset.series_index[chosen]
    result = np.empty(len(starts))
    for number in np.unique(series_index):
        here = series_index == number
        close = dataset.series[number].columns.close
        last = close[starts[here] + STANDARD.window_candles - 1]
        change_pct = 100.0 * (1.0 - close[starts[here]] / last)
        result[here] = change_pct / dataset.range_pct[chosen][here]
    return result


def assign_strata(dataset: WindowDataset, path: Path | None = None) -> NDArray[np.uint16]:
    """The stratum of each window, `(n,)`: 9 per series, `3 * tercile of trend + tercile of range`.

    The terciles are computed per series from this dataset, so it must be the training period's. With a `path`, the result is stored there.
    """
    result: NDArray[np.uint16] = allocate_array((len(dataset),), np.uint16, path)
    for number in range(len(dataset.series)):
        first, stop = np.searchsorted(dataset.series_index, np.array([number, number + 1], dataset.series_index.dtype))
        step = max(1, (stop - first) // _MAX_BOUNDS_WINDOWS)
        sparse = slice(first, stop, step)
        bounds = (
            [np.quantile(values, [1 / 3, 2 / 3]) for values in (trend(dataset, sparse), dataset.range_pct[sparse])] if stop > first else []
        )
        for block in split_range(stop - first, _WINDOWS_AT_ONCE):
            part = slice(first + block.start, first + block.stop)
            values = (trend(dataset, part), dataset.range_pct[part])
            of_trend, of_range = (np.searchsorted(bound, value) for bound, value in zip(bounds, values, strict=True))
            result[part] = STRATA_PER_SERIES * number + TERCILES * of_trend + of_range
    return result


@dataclass(frozen=True, eq=False)
class StratifiedSampler:
    """Draws every interval equally often, and every series of an interval; of a series, a share of `balance` equally often from each of its
    strata, and the rest uniformly.

    `order` `(n,)` are the indices of all windows, sorted by stratum; the non-empty stratum `s` begins there at `begins[s]`, has `sizes[s]`
    windows, and is drawn with a probability of `shares[s]`.
    """

    order: NDArray[np.int64]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]
    shares: Values

    @classmethod
    def from_strata(
        cls, strata: NDArray[np.uint16], intervals: Sequence[str], balance: float, path: Path | None = None
    ) -> "StratifiedSampler":
        """From the stratum of each window and the interval of each series. With a `path`, the order is stored there."""
        parts = split_range(len(strata), _WINDOWS_AT_ONCE)
        max_strata = STRATA_PER_SERIES * len(intervals)
        counts = sum((np.bincount(strata[part], minlength=max_strata) for part in parts), np.zeros(max_strata, np.int64))
        begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
        order: NDArray[np.int64] = allocate_array((len(strata),), np.int64, path)
        at = begins.copy()
        for part in parts:
            sorted_part = np.argsort(strata[part], kind="stable")
            here = np.bincount(strata[part], minlength=max_strata)
            done = 0
            for stratum in np.flatnonzero(here):
                size = here[stratum]
                order[at[stratum] : at[stratum] + size] = part.start + sorted_part[done : done + size]
                at[stratum] += size
                done += size
        filled = counts > 0
        return cls(order, begins[filled], counts[filled], _stratum_shares(counts, intervals, balance)[filled])

    def sample(self, random: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Indices of `count` windows, `(count,)`, with replacement."""
        stratum = random.choice(len(self.shares), size=count, p=self.shares)
        chosen: NDArray[np.int64] = self.order[self.begins[stratum] + random.integers(self.sizes[stratum])]
        return chosen


def series_shares(windows: NDArray[np.int64], intervals: Sequence[str]) -> Values:
    """The share of each series `(s,)`: intervals have equal shares, and so have the series of one; those without windows have none."""
    names = np.array(intervals)
    of_interval = np.array([np.count_nonzero((names == name) & (windows > 0)) for name in names])
    shares: Values = (windows > 0) / np.maximum(of_interval, 1) / max(1, len(np.unique(names[windows > 0])))
    return shares


def _stratum_shares(counts: NDArray[np.int64], intervals: Sequence[str], balance: float) -> Values:
    """The probability of each stratum, from its number of windows: `(9 * series,)` each."""
    of_series = counts.reshape(len(intervals), STRATA_PER_SERIES)
    windows = of_series.sum(axis=1, keepdims=True)
    strata = np.count_nonzero(of_series, axis=1, keepdims=True)
    within = balance * (of_series > 0) / np.maximum(strata, 1) + (1 - balance) * of_series / np.maximum(windows, 1)
    shares: Values = (series_shares(windows[:, 0], intervals)[:, None] * within).ravel()
    shares /= shares.sum()  # only rounding
    return shares
