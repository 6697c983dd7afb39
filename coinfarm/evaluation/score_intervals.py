"""What chance alone may do to a score: intervals by resampling stretches of time, in which all coins stay together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.bootstrap import Draws, block_bootstrap_means, percentile_interval
from coinfarm.candles.arrays import Times, Values
from image_render.spec import STANDARD

LEVEL = 0.9
SAMPLES = 1000
SEED = 0
_MIN_BLOCKS = 10
"""With fewer, an interval would look surer than it is."""
_MAX_BLOCKS = 1000
"""Blocks may well grow with the time that they are drawn from, and more of them cost time and change nothing."""
_BINS_PER_BLOCK = 20
"""A block may begin at any of them."""

Interval = tuple[float, float]
Weights = Values | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BlockBootstrap:
    """Frames `(n,)` sorted into `bins` stretches of time, resampled in blocks of `block_candles`.

    A block lasts a window and a horizon at least: frames farther apart share no candle, neither in what they show nor in what followed.
    Coins move together, so what happened at one time is resampled together, whichever coin it is of.
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

    def shares(self, parts: Sequence[Weights], wholes: Sequence[Weights]) -> list[Interval | None]:
        """The interval of each sum of `part` over sum of `whole`, both `(n,)`; None where the time is too short to say."""
        if self.bins < _MIN_BLOCKS * self.bins_per_block:
            return [None] * len(parts)
        draws = self._draws([*parts, *wholes])
        return [_interval(top, bottom) for top, bottom in zip(draws[: len(parts)], draws[len(parts) :], strict=True)]

    def _draws(self, columns: Sequence[Weights]) -> Draws:
        """Means per bin of each column, resampled, `(k, samples)`."""
        totals = np.column_stack([np.bincount(self.bin_of, column, self.bins) for column in columns])
        return block_bootstrap_means(totals, self.bins_per_block, SAMPLES, SEED).T


def _interval(top: Draws, bottom: Draws) -> Interval | None:
    known = np.abs(bottom) > 1e-12
    if not known.any():
        return None
    low, high = percentile_interval(top[known] / bottom[known], LEVEL)
    return low, high
