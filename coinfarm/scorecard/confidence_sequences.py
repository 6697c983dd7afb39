"""A test that may be looked at after every block of days, for ever, without a higher rate of false alarms.

Two parts, both for the mean of scores whose sums behave like a random walk of a known variance:

- `confidence_sequence`: bounds that contain the mean at all times together (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021,
  "Time-uniform, nonparametric, nonasymptotic confidence sequences", the two-sided normal mixture).
- `shortfall_e_values`: evidence that the mean is below a bound from some block on, as a mixture over the blocks at which that may have
  begun (Shin, Ramdas and Rinaldo 2024, "E-detectors"), each with the one-sided normal mixture. If the mean is not below the bound, the
  evidence ever reaches `1 / alpha` with a probability of at most `alpha` (Ville's inequality).

Scores of neighbouring blocks depend on each other. Their sums still behave like a random walk, of the long-run variance.
"""

from math import erfc, exp, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from coinfarm.bootstrap.resampling import cosine_transforms
from coinfarm.candles.arrays import Values

ALPHA = 0.05
"""The probability that a confidence sequence ever fails."""
ALARM_ALPHA = 0.025
"""The probability of a false alarm if the evaluated mean were exactly known; the rest of `ALPHA` is for its own error."""
ALARM_E_VALUE = 1.0 / ALARM_ALPHA
MIN_BLOCKS = 10
"""Of an evaluation: with fewer, its variance is unknown."""
_TIGHTEST_AFTER = 30
"""The number of blocks at which the bounds are as tight as they can be."""
_RESTART_BLOCKS = 7
_MIN_LIVE_BLOCKS = 5
"""With fewer, the variance of the live scores is that of the evaluation."""
_MIN_TRANSFORMS = 4
_MIN_VARIANCE = 1e-10
"""Scores are rounded."""
_PRIOR_VARIANCE = (2.0 * log(1.0 / ALPHA) + log(1.0 + 2.0 * log(1.0 / ALPHA))) / _TIGHTEST_AFTER
"""Of the mean in units of the standard deviation: the choice of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024."""


def long_run_variance(scores: Values) -> float:
    """Of scores `(n,)` in order of time that may depend on each other: their variance, or that of slow movements if it is larger.

    The second is the mean square of the first cosine transforms (Müller 2014; Lazarus, Lewis, Stock and Watson 2018).
    """
    slow = (cosine_transforms(_transforms(len(scores)), len(scores)) @ scores) ** 2
    return max(float(slow.mean()), float(scores.var(ddof=1)), _MIN_VARIANCE)


def mean_interval(scores: Values) -> tuple[float, float]:
    """The interval that contains the mean of scores `(n,)` with a probability of `1 - 2 * ALARM_ALPHA`; not for repeated looks."""
    error = _student_quantile(1.0 - ALARM_ALPHA, _transforms(len(scores))) * sqrt(long_run_variance(scores) / len(scores))
    return float(scores.mean()) - error, float(scores.mean()) + error


def running_variance(scores: Values, evaluated: Values) -> Values:
    """`(n,)`: the long-run variance after each of the live scores `(n,)`: that of the evaluated ones, or their own if it is larger.

    Their own is measured by the differences of neighbours, which a loss of skill does not enlarge (von Neumann 1941).
    """
    known = long_run_variance(evaluated)
    ratio = known / max(float((np.diff(evaluated) ** 2).mean()), _MIN_VARIANCE)
    count = np.arange(1, len(scores) + 1, dtype=np.int64)
    squares = np.cumsum(np.diff(scores, prepend=scores[:1]) ** 2) / np.maximum(count - 1, 1)
    return np.maximum(known, np.where(count >= _MIN_LIVE_BLOCKS, ratio * squares, 0.0))


def half_width(count: NDArray[np.int64], variance: Values | float) -> Values:
    """Of the confidence sequence after `count` scores."""
    total = 1.0 + count * _PRIOR_VARIANCE
    width: Values = np.sqrt(variance * 2.0 * total / _PRIOR_VARIANCE * np.log(np.sqrt(total) / ALPHA)) / count
    return width


def confidence_sequence(scores: Values, variance: Values) -> tuple[Values, Values, Values]:
    """The mean, the lower and the upper bound after each score, `(n,)` each."""
    count = np.arange(1, len(scores) + 1, dtype=np.int64)
    mean = np.cumsum(scores) / count
    width = half_width(count, variance)
    return mean, mean - width, mean + width


def shortfall_e_values(scores: Values, bound: float, variance: Values) -> Values:
    """The evidence after each score `(n,)` that the mean is below `bound`, now or since some block."""
    shortfall = bound - scores
    evidence = np.zeros(len(scores))
    starts = range(0, len(scores), _RESTART_BLOCKS)
    for number, start in enumerate(starts, 1):
        weight = 1.0 / (number * (number + 1))  # the weights add up to 1
        evidence[:start] += weight  # a bet that has not begun
        evidence[start:] += weight * _normal_mixture(np.cumsum(shortfall[start:]), variance[start:])
    return evidence + 1.0 / (len(starts) + 1)  # all later bets


def _normal_mixture(total: Values, variance: Values) -> Values:
    """E-values that the mean is above 0, from sums of 1, 2, … values."""
    scale = 1.0 + _PRIOR_VARIANCE * np.arange(1, len(total) + 1)
    z = total / np.sqrt(variance) * np.sqrt(_PRIOR_VARIANCE / scale)
    above = np.array([erfc(-each / sqrt(2.0)) for each in z])
    values: Values = above * np.exp(np.minimum(z**2 / 2.0, 600.0)) / np.sqrt(scale)
    return values


def _transforms(count: int) -> int:
    """The number of cosine transforms that Lazarus and others recommend."""
    return max(_MIN_TRANSFORMS, round(0.4 * exp(log(count) * 2.0 / 3.0)))


def _student_quantile(probability: float, freedom: int) -> float:
    """Of Student's t distribution: the expansion of Cornish and Fisher, within 1 % for four degrees of freedom or more."""
    z = NormalDist().inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4.0 * freedom)
        + (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / (96.0 * freedom**2)
        + (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / (384.0 * freedom**3)
    )
