"""Which windows are learnt from how often: by coin, trend and volatility, so that no market rules the training."""

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
"""Windows that a series' bounds are reckoned from, evenly spread: neighbours are nearly the same."""


def trend(samples: WindowDataset, chosen: slice) -> Values:
    """How straight the price went through each of the chosen windows, `(n,)`: (last close - first close) / range, from -1 to 1."""
    starts, of = samples.starts[chosen], samples.of[chosen]
    result = np.empty(len(starts))
    for number in np.unique(of):
        here = of == number
        close = samples.series[number].columns.close
        last = close[starts[here] + STANDARD.window_candles - 1]
        change_pct = 100.0 * (1.0 - close[starts[here]] / last)
        result[here] = change_pct / samples.range_pct[chosen][here]
    return result


def assign_strata(samples: WindowDataset, path: Path | None = None) -> NDArray[np.uint16]:
    """The stratum of each window, `(n,)`: of 9 in its series, `3 * tercile of trend + tercile of range`.

    The bounds are the series' own, and from these samples alone: give it those of the training period. With a `path`, the result is
    kept in that file.
    """
    result: NDArray[np.uint16] = allocate_array((len(samples),), np.uint16, path)
    for number in range(len(samples.series)):
        first, stop = np.searchsorted(samples.of, np.array([number, number + 1], samples.of.dtype))
        step = max(1, (stop - first) // _MAX_BOUNDS_WINDOWS)
        sparse = slice(first, stop, step)
        bounds = (
            [np.quantile(values, [1 / 3, 2 / 3]) for values in (trend(samples, sparse), samples.range_pct[sparse])] if stop > first else []
        )
        for block in split_range(stop - first, _WINDOWS_AT_ONCE):
            part = slice(first + block.start, first + block.stop)
            values = (trend(samples, part), samples.range_pct[part])
            of_trend, of_range = (np.searchsorted(bound, value) for bound, value in zip(bounds, values, strict=True))
            result[part] = STRATA_PER_SERIES * number + TERCILES * of_trend + of_range
    return result


@dataclass(frozen=True, eq=False)
class StratifiedSampler:
    """Draws windows by chance, partly as they come, partly from every stratum equally often.

    `order` `(n,)` are all windows, stratum by stratum; stratum `s`, of those that have any, begins there at `begins[s]` and has
    `sizes[s]` windows. Of what is drawn, a share of `balance` comes from every stratum equally often.
    """

    order: NDArray[np.int64]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]
    balance: float

    @classmethod
    def of(cls, strata: NDArray[np.uint16], balance: float, path: Path | None = None) -> "StratifiedSampler":
        """From the stratum of each window; with a `path`, the order is kept in that file."""
        parts = split_range(len(strata), _WINDOWS_AT_ONCE)
        most = int(strata.max(initial=0)) + 1
        counts = sum((np.bincount(strata[part], minlength=most) for part in parts), np.zeros(most, np.int64))
        begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
        order: NDArray[np.int64] = allocate_array((len(strata),), np.int64, path)
        at = begins.copy()
        for part in parts:
            sorted_part = np.argsort(strata[part], kind="stable")
            here = np.bincount(strata[part], minlength=most)
            done = 0
            for stratum in np.flatnonzero(here):
                size = here[stratum]
                order[at[stratum] : at[stratum] + size] = part.start + sorted_part[done : done + size]
                at[stratum] += size
                done += size
        some = counts > 0
        return cls(order, begins[some], counts[some], balance)

    def choose(self, random: np.random.Generator, count: int) -> NDArray[np.int64]:
        """The numbers of `count` windows, `(count,)`; one may come twice."""
        as_they_come = random.integers(len(self.order), size=count)
        stratum = random.integers(len(self.sizes), size=count)
        within = random.integers(self.sizes[stratum])
        balanced = random.random(count) < self.balance
        chosen: NDArray[np.int64] = self.order[np.where(balanced, self.begins[stratum] + within, as_they_come)]
        return chosen
