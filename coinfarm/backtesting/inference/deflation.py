"""The deflated Sharpe ratio: the probability that the true ratio is above the best one that luck would show among as many trials.

Source: Bailey and López de Prado 2014, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and Non-Normality".
"""

from math import e, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from coinfarm.candles.arrays import Values

_ROUNDING = 1e-9
_NORMAL = NormalDist()
_EULER_MASCHERONI = 0.5772156649015329


def sharpe_ratio(returns: Values) -> float:
    """Per period, without a risk-free rate, of the returns `(n,)` of one period each; NaN if they do not vary."""
    return float(returns.mean()) / float(returns.std(ddof=1)) if len(returns) > 1 and _varies(returns) else nan


def _varies(returns: Values) -> Any:
    """Of each column, whether its values differ by more than rounding errors."""
    return returns.std(axis=0) > _ROUNDING * np.abs(returns).max(axis=0)


def expected_maximum(variance: float, trials: float) -> float:
    """The expected maximum of the Sharpe ratios of `trials` variants without skill, with that variance ("False Strategy" theorem).

    The theorem is for many trials; below two, the value is interpolated to 0 for a single one.
    """
    if trials < 2:
        return max(0.0, trials - 1.0) * expected_maximum(variance, 2.0)
    quantile_1, quantile_2 = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER_MASCHERONI) * quantile_1 + _EULER_MASCHERONI * quantile_2)


def probability_above(ratio: float, benchmark: float, count: int, skewness: float, kurtosis: float) -> float:
    """The probability that the true Sharpe ratio is above the benchmark, given `ratio` from `count` returns with that skewness and kurtosis
    (3 for a normal distribution); all per period.
    """
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    return _NORMAL.cdf((ratio - benchmark) * sqrt(count - 1) / sqrt(max(spread, 1e-12)))


def effective_trials(daily_net: Values) -> float:
    """The number of independent trials that the correlated ones `(days, k)` are worth, from their mean correlation (source, appendix 3)."""
    varying = daily_net[:, _varies(daily_net)]
    count = varying.shape[1]
    if count < 2:
        return float(count)
    correlation = np.corrcoef(varying.T)
    mean = float((correlation.sum() - count) / (count * (count - 1)))
    return float(count - (count - 1) * min(max(mean, 0.0), 1.0))


def deflated_sharpe_probability(daily_net: Values) -> float:
    """The probability, 0 to 1, that the true Sharpe ratio of the first of `k` trials `(days, k)` is above the best that luck would show.

    Without skill, the ratios of `n` days vary by `1 / (n - 1)`: the spread of the ratios that were found also has the variants' different
    costs in it. NaN if there are fewer than three days, or the first trial does not vary.
    """
    returns = daily_net[:, 0]
    if len(returns) < 3 or not _varies(returns):
        return nan
    standard = (returns - returns.mean()) / returns.std()
    moments = float((standard**3).mean()), float((standard**4).mean())
    best_by_luck = expected_maximum(1.0 / (len(returns) - 1), effective_trials(daily_net))
    return probability_above(sharpe_ratio(returns), best_by_luck, len(returns), *moments)
