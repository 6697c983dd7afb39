"""Stratified sampling of windows by coin, trend and volatility, so that no market regime dominates the training."""

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
    """Draws a share of `balance` of the windows equally often from every stratum, and the rest uniformly.

    `order` `(n,)` are the indices of all windows, sorted by stratum; the non-empty stratum `s` begins there at `begins[s]` and has
    `sizes[s]` windows.
    """

    order: NDArray[np.int64]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]
    balance: float

    @classmethod
    def from_strata(cls, strata: NDArray[np.uint16], balance: float, path: Path | None = None) -> "StratifiedSampler":
        """From the stratum of each window. With a `path`, the order is stored there."""
        parts = split_range(len(strata), _WINDOWS_AT_ONCE)
        max_strata = int(strata.max(initial=0)) + 1
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
        return cls(order, begins[filled], counts[filled], balance)

    def sample(self, random: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Indices of `count` windows, `(count,)`, with replacement."""
        uniform = random.integers(len(self.order), size=count)
        stratum = random.integers(len(self.sizes), size=count)
        within = random.integers(self.sizes[stratum])
        balanced = random.random(count) < self.balance
        chosen: NDArray[np.int64] = self.order[np.where(balanced, self.begins[stratum] + within, uniform)]
        return chosen
