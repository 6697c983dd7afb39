"""The edge of strategies: their net profit per amount staked, with its uncertainty, from daily profits.

The days are a dependent series. The standard error is that of Müller 2014, "HAC Corrections for Strongly Autocorrelated Time Series", and
Lazarus, Lewis, Stock and Watson 2018, "HAR Inference: Recommendations for Practice": the mean square of a few cosine transforms, which is
robust to dependence over many days. Its critical values come from a studentised circular block bootstrap (Götze and Künsch 1996; Politis
and Romano 1992), which preserves skewness and the dependence of neighbouring days. docs/calibration.md says how often both are right.
"""

from dataclasses import dataclass
from math import atan, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from coinfarm.bootstrap.resampling import cosine_transforms, resampling_weights
from coinfarm.candles.arrays import Values

_DAYS_AT_ONCE = 1_000_000
"""The number of resampled days in memory at a time, with up to 30 weights of 8 bytes each."""
_ROUNDING = 1e-9
_MAX_T = 1e6
"""A resample of equal days has no standard error."""
PERSISTENCE = 0.92
"""The largest day-to-day autocorrelation that short samples are corrected for."""


@dataclass(frozen=True, eq=False)
class DailyProfit:
    """The net profit and the stakes of `k` strategies on each UTC day, `(days, k)` each, in the quote currency."""

    net: Values
    stake: Values

    @property
    def days(self) -> int:
        return len(self.net)


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of `k` strategies, `(k,)` each, as shares of the stake; NaN without a trade.

    `effective_trading_days` is the effective number of days with trades, by the squares of their stakes; `dependence` is the variance of
    the mean relative to that of independent days.
    """

    edge: Values
    standard_error: Values
    effective_trading_days: Values
    dependence: Values

    @property
    def t(self) -> Values:
        """The edges in standard errors; 0 if undefined, and very large for equal profits on all days."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: Values = np.clip(np.nan_to_num(self.edge / self.standard_error, nan=0.0), -_MAX_T, _MAX_T)
        return ratio


def cosine_count(days: int) -> int:
    """The number of cosine transforms: few, so that they measure the slowest movements."""
    return int(min(max(4, round(days / 15)), max(6, round(0.3 * sqrt(days)))))


def estimate_edges(profit: DailyProfit) -> Edges:
    """The edges and their standard errors."""
    count = profit.days
    transforms = cosine_transforms(cosine_count(count), count)
    moments = _Moments(
        profit.net.sum(axis=0), profit.stake.sum(axis=0), (profit.stake**2).sum(axis=0), transforms @ profit.net, transforms @ profit.stake
    )
    edge, error, effective_trading_days, variance = moments.estimates(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = ((profit.net - edge * profit.stake) ** 2).mean(axis=0)
        return Edges(edge, error, effective_trading_days, variance / independent)


def resampled_t(profit: DailyProfit, block: int, samples: int, seed: int) -> NDArray[np.float64]:
    """The t statistics `(samples, k)` of resampled days on which the true edges are zero: all strategies are resampled together.

    Days are resampled in blocks of `block` neighbours, the last block truncated. A block that begins near the end continues at the
    beginning. NaN if a resample has no trade.
    """
    edge = estimate_edges(profit).edge
    residual = profit.net - np.nan_to_num(edge) * profit.stake
    # Rounding errors of equal profits are no deviations.
    residual[np.abs(residual) <= _ROUNDING * np.abs(profit.net).max(axis=0)] = 0.0
    drawn = np.empty((samples, residual.shape[1]))
    at_once = max(1, _DAYS_AT_ONCE // profit.days)
    for first in range(0, samples, at_once):
        rows = slice(first, min(first + at_once, samples))
        weights = resampling_weights(cosine_count(profit.days), profit.days, block, rows.stop - rows.start, (seed, first))
        shape = (len(weights), -1, residual.shape[1])
        flat = weights.reshape(-1, profit.days)
        of_residual, of_stake = (flat @ residual).reshape(shape), (flat @ profit.stake).reshape(shape)
        moments = _Moments(
            of_residual[:, 0],
            of_stake[:, 0],
            weights[:, 0] @ profit.stake**2,
            of_residual[:, 1:].swapaxes(0, 1),
            of_stake[:, 1:].swapaxes(0, 1),
        )
        resampled, error, _, _ = moments.estimates(profit.days)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn[rows] = np.clip(resampled / error, -_MAX_T, _MAX_T)
    return drawn


def bias_factor(days: int) -> float:
    """The share of the variance of the mean that the cosine transforms see, if days have an autocorrelation of `PERSISTENCE`.

    The spectrum of such a series falls by half at the frequency `pole`, and the transforms average it from 0 to `band`.
    """
    pole, band = -log(PERSISTENCE), pi * cosine_count(days) / days
    return pole / band * atan(band / pole)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Sums over days, `(..., k)` each; the transforms have their axis first."""

    net: Values
    stake: Values
    stake_squares: Values
    net_transforms: Values
    stake_transforms: Values

    def estimates(self, days: int) -> tuple[Values, Values, Values, Values]:
        """Edge, standard error, effective trading days, and the long-run variance of the residuals."""
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = self.net / self.stake
            variance = ((self.net_transforms - edge * self.stake_transforms) ** 2).mean(axis=0)
            effective_trading_days = self.stake**2 / self.stake_squares
            # A ratio fits its own denominators, which costs one effective day.
            lost = np.sqrt(effective_trading_days / (effective_trading_days - 1.0))
            return edge, np.sqrt(variance * days) / self.stake * lost, effective_trading_days, variance
