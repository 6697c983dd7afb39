"""Intervals of scores, from a block bootstrap over time in which all coins stay together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.bootstrap import Draws, block_bootstrap_means, percentile_interval
from coinfarm.candles.arrays import Times, Values
from coinfarm.models.evaluation_document import ConfidenceInterval
from image_render.spec import STANDARD

LEVEL = 0.9
SAMPLES = 1000
SEED = 0
_MIN_BLOCKS = 10
"""With fewer, an interval would be too narrow."""
_MAX_BLOCKS = 1000
"""More would take time and change nothing, so blocks grow with the period."""
_BINS_PER_BLOCK = 20
"""A block may begin at any bin."""

Weights = Values | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BlockBootstrap:
    """Frames `(n,)` sorted into `bins` of time, resampled in blocks of `block_candles`.

    A block lasts a window and a horizon at least: frames farther apart have no candle in common, neither in the window nor in the
    horizon. Coins move together, so the frames of all coins at one time are resampled together.
    """

    bin_of: NDArray[np.int64]
    bins: int
    bins_per_block: int
    block_candles: int

    @classmethod
    def of(cls, close_time: Times, interval_ms: int, stride: int, horizon_candles: int) -> "BlockBootstrap":
        """For frames that close at these times (milliseconds), `stride` candles apart."""
        since_first = (close_time - close_time.min()) // interval_ms
        block_candles = max(STANDARD.window_candles + horizon_candles, int(since_first.max()) // _MAX_BLOCKS)
        bin_candles = stride * max(1, block_candles // _BINS_PER_BLOCK // stride)
        bins_per_block = -(-block_candles // bin_candles)
        bin_of = since_first // bin_candles
        return cls(bin_of, int(bin_of.max()) + 1, bins_per_block, bins_per_block * bin_candles)

    def ratio_intervals(self, numerators: Sequence[Weights], denominators: Sequence[Weights]) -> list[ConfidenceInterval | None]:
        """The interval of each sum of a numerator `(n,)` over the sum of its denominator `(n,)`; None if the period is too short."""
        if self.bins < _MIN_BLOCKS * self.bins_per_block:
            return [None] * len(numerators)
        draws = self._draws([*numerators, *denominators])
        count = len(numerators)
        return [_interval(numerator, denominator) for numerator, denominator in zip(draws[:count], draws[count:], strict=True)]

    def _draws(self, columns: Sequence[Weights]) -> Draws:
        """The resampled means per bin of each column, `(k, samples)`."""
        totals = np.column_stack([np.bincount(self.bin_of, column, self.bins) for column in columns])
        return block_bootstrap_means(totals, self.bins_per_block, SAMPLES, SEED).T


def _interval(numerator: Draws, denominator: Draws) -> ConfidenceInterval | None:
    known = np.abs(denominator) > 1e-12
    if not known.any():
        return None
    low, high = percentile_interval(numerator[known] / denominator[known], LEVEL)
    return low, high
