"""Intervals of scores: sums over frames by day, in which all coins stay together, and their ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.ratio_interval import DailyRatio, RatioInterval, ratio_interval
from coinfarm.models.evaluation_scores import ConfidenceInterval
from image_render.spec import STANDARD

_MAX_BINS = 600
"""More would take time and change nothing, so bins grow with the period."""

Weights = Values | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ScoreIntervals:
    """Frames `(n,)` sorted into `bins` of whole UTC days, resampled in blocks of `min_block` bins (`block_candles` candles) or more.

    A block lasts a day at least, and a window and a horizon at least: frames farther apart have no candle in common, neither in the
    window nor in the horizon. Coins move together, so the frames of all coins on one day are resampled together.
    """

    bin_of: NDArray[np.int64]
    bins: int
    min_block: int
    block_candles: int

    @classmethod
    def of(cls, close_time: Times, interval_ms: int, horizon_candles: int) -> "ScoreIntervals":
        """For frames that close at these times (milliseconds)."""
        day = close_time // DAY_MS
        day = day - day.min()
        bin_days = 1 + int(day.max()) // _MAX_BINS
        bin_of = day // bin_days
        bin_ms = bin_days * DAY_MS
        min_block = -(-(STANDARD.window_candles + horizon_candles) * interval_ms // bin_ms)
        return cls(bin_of, int(bin_of.max()) + 1, min_block, max(1, min_block * bin_ms // interval_ms))

    def of_counts(self, numerators: Sequence[Weights], denominators: Sequence[Weights]) -> list[ConfidenceInterval | None]:
        """The interval of each sum of a numerator `(n,)` over the sum of its denominator `(n,)`; None if there are too few days."""
        pairs = zip(numerators, denominators, strict=True)
        return [self._interval(DailyRatio.of_counts(self._sums(top), self._sums(bottom))).bounds for top, bottom in pairs]

    def of_unexplained_share(self, predicted: Values, actual: Values) -> RatioInterval:
        """The interval of 1 − R², the squared errors over the squared deviations of the actual values, both `(n,)`, from their mean."""
        deviation = actual - actual.mean()
        return self._interval(
            DailyRatio(
                self._sums((actual - predicted) ** 2),
                self._sums(deviation**2),
                self._sums(deviation),
                self._sums(np.ones(len(actual))),
                is_of_squares=True,
                is_positive=True,
            )
        )

    def of_squares(self, numerator: Values, denominator: Values) -> ConfidenceInterval | None:
        """The interval of a ratio of two sums of squares; both `(n,)`."""
        top, bottom = self._sums(numerator), self._sums(denominator)
        return self._interval(DailyRatio(top, bottom, np.zeros(self.bins), np.ones(self.bins), is_of_squares=True, is_positive=True)).bounds

    def of_slope(self, predicted: Values, actual: Values, weights: Values | None = None) -> RatioInterval:
        """The interval of the slope of the least-squares line of actual over predicted values, all `(n,)`."""
        from_mean_predicted, from_mean_actual = (values - np.average(values, weights=weights) for values in (predicted, actual))
        weighted = from_mean_predicted if weights is None else weights * from_mean_predicted
        products, squares = self._sums(weighted * from_mean_actual), self._sums(weighted * from_mean_predicted)
        return self._interval(DailyRatio(products, squares, np.zeros(self.bins), np.ones(self.bins), is_of_squares=True))

    def _interval(self, ratio: DailyRatio) -> RatioInterval:
        return ratio_interval(ratio, self.min_block)

    def _sums(self, values: Weights) -> Values:
        """By bin."""
        return np.bincount(self.bin_of, values, self.bins).astype(np.float64)
