"""The interval of a ratio of sums over days that depend on each other.

The standard error is that of a few cosine transforms (Müller 2014; Lazarus, Lewis, Stock and Watson 2018), which is robust to dependence
over many days, and its critical values are those of a studentised circular block bootstrap (Götze and Künsch 1996). Volatility persists
over days, and with it the size of squared errors: blocks of hours would make their intervals much too narrow.
"""

from dataclasses import dataclass
from math import atan, exp, log, pi, sqrt

import numpy as np

from coinfarm.bootstrap.block_length import circular_block_length
from coinfarm.bootstrap.resampling import cosine_transforms, resampling_weights
from coinfarm.candles.arrays import Values
from coinfarm.evaluation.metrics import ranks

LEVEL = 0.9
SAMPLES = 1000
SEED = 0
MIN_BLOCKS = 10
"""With fewer effective blocks, an interval would be too narrow."""
_TRANSFORMS = 6
_MIN_PERSISTENCE = 0.5
"""Of squared errors, even if the days of a short period do not show it: volatility persists in every market."""
_MAX_PERSISTENCE = 0.97
_PERSISTENCE_LAGS = 4
_NOTHING = 1e-12
_WIDENING = 1.2
"""Of the intervals of squared errors: a period of ordinary length has too few episodes of high volatility to show how rare they are.
Calibrated by benchmarks/score_intervals.py, as `_SHORT_WIDENING`."""
_SHORT_WIDENING = 4.0
"""Extra widening, divided by the number of effective blocks: short periods show too little."""


@dataclass(frozen=True, eq=False)
class DailyRatio:
    """A ratio of sums, by day, `(days,)` each: `numerator / denominator`.

    If the denominators are squares of deviations from a mean that is itself estimated, `deviation` are the sums of these deviations and
    `count` the numbers of observations. `is_of_squares`: both are sums of squares or products, whose size persists as volatility does.
    `is_positive`: the ratio is estimated on the logarithmic scale.
    """

    numerator: Values
    denominator: Values
    deviation: Values
    count: Values
    is_of_squares: bool = False
    is_positive: bool = False

    @classmethod
    def of_counts(cls, numerator: Values, denominator: Values) -> "DailyRatio":
        """A ratio to a sum of counts."""
        return cls(numerator, denominator, np.zeros(len(numerator)), np.ones(len(numerator)))

    @property
    def columns(self) -> Values:
        """`(days, 4)`."""
        return np.column_stack([self.numerator, self.denominator, self.deviation, self.count])


@dataclass(frozen=True)
class RatioInterval:
    """A 90 % interval, None if the days make fewer than `MIN_BLOCKS` effective blocks."""

    bounds: tuple[float, float] | None
    effective_blocks: float


def ratio_interval(ratio: DailyRatio, min_block: int = 1) -> RatioInterval:
    """The interval from blocks of at least `min_block` days, of an automatic length. Days whose denominator is zero are left out."""
    columns = ratio.columns[ratio.denominator > 0]
    days = len(columns)
    persistence = _MIN_PERSISTENCE if ratio.is_of_squares else 0.0
    if days < MIN_BLOCKS * min_block:
        return RatioInterval(None, _effective_blocks(days, min_block, persistence))
    transforms = cosine_transforms(_TRANSFORMS, days)
    value, error = (float(each[0]) for each in _estimates(np.vstack([np.ones(days), transforms])[None] @ columns))
    if not error > _NOTHING * abs(value):
        return RatioInterval((value, value), _effective_blocks(days, min_block, persistence))
    influence = _influence(columns, value)
    persistence = max(persistence, _persistence(influence, columns[:, 1]))
    effective_blocks = _effective_blocks(days, min_block, persistence)
    if effective_blocks < MIN_BLOCKS:
        return RatioInterval(None, effective_blocks)
    length = max(circular_block_length(influence), circular_block_length(np.abs(influence)))
    block = max(min_block, round(min(length, days / MIN_BLOCKS)))
    drawn, errors = _estimates(resampling_weights(_TRANSFORMS, days, block, SAMPLES, (SEED, 0)) @ columns)
    error /= sqrt(_bias_factor(persistence, days))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.log(drawn / value) / (errors / drawn) if ratio.is_positive else (drawn - value) / errors
    largest, smallest = np.quantile(t[np.isfinite(t)], [0.5 + LEVEL / 2, 0.5 - LEVEL / 2])
    if ratio.is_of_squares:
        error *= _WIDENING * (1.0 + _SHORT_WIDENING / effective_blocks)
    if ratio.is_positive:
        return RatioInterval((value * exp(-largest * error / value), value * exp(-smallest * error / value)), effective_blocks)
    by_day = columns[:, 0] / columns[:, 1]
    low, high = np.clip([value - largest * error, value - smallest * error], by_day.min(), by_day.max())
    return RatioInterval((float(low), float(high)), effective_blocks)


def _effective_blocks(days: int, min_block: int, persistence: float) -> float:
    """The number of independent observations that the days are worth, if they are an autoregression."""
    return days / max(min_block, (1.0 + persistence) / (1.0 - persistence))


def _estimates(sums: Values) -> tuple[Values, Values]:
    """The ratios `(n,)` and their standard errors, up to a common factor, from the sums and transforms `(n, 1 + k, 4)` of the columns."""
    numerator, square, deviation, count = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = deviation[:, :1] / count[:, :1]
        denominator = square[:, :1] - mean * deviation[:, :1]
        ratio = numerator[:, :1] / denominator
        of_denominator = square[:, 1:] - 2.0 * mean * deviation[:, 1:] + mean**2 * count[:, 1:]
        influence = (numerator[:, 1:] - ratio * of_denominator) / denominator
        return ratio[:, 0], np.sqrt((influence**2).mean(axis=1))


def _influence(columns: Values, value: float) -> Values:
    """How much each day moves the ratio, `(days,)`, up to a factor."""
    numerator, square, deviation, count = columns.T
    mean = deviation.sum() / count.sum()
    influence: Values = numerator - value * (square - 2.0 * mean * deviation + mean**2 * count)
    return influence


def _persistence(influence: Values, size: Values) -> float:
    """The autocorrelation from day to day of the process behind the influence of days `(n,)`; 0 if they look independent.

    Influence is noisy. If it depends on the day before at all, its process is no less persistent than that of the `size` of the values.
    """
    correlation = _rank_correlations(influence)
    if sum(correlation) < sqrt(len(correlation) / len(influence)):
        return 0.0
    return max(_decay(correlation, len(influence)), _decay(_rank_correlations(size), len(size)))


def _decay(correlation: list[float], days: int) -> float:
    """The factor by which correlations decrease from lag to lag, corrected for its bias in short series (Kendall 1954)."""
    if correlation[0] < 2.0 / sqrt(days) or sum(correlation[:-1]) <= 0:
        return 0.0
    decay = max(0.0, sum(correlation[1:]) / sum(correlation[:-1]))
    return min(_MAX_PERSISTENCE, decay + (1.0 + 3.0 * decay) / days)


def _rank_correlations(values: Values) -> list[float]:
    """The autocorrelations of the ranks, which no single day dominates, from lag 1 on; 0 for equal values."""
    rank = ranks(values)
    rank -= rank.mean()
    squares = float(rank @ rank)
    return [float(rank[lag:] @ rank[: len(rank) - lag]) / squares if squares else 0.0 for lag in range(1, _PERSISTENCE_LAGS + 1)]


def _bias_factor(persistence: float, days: int) -> float:
    """The share of the variance of the mean that the transforms see: they average the spectrum of the process from 0 to `band`."""
    if not persistence:
        return 1.0
    pole, band = -log(persistence), pi * _TRANSFORMS / days
    return pole / band * atan(band / pole)
