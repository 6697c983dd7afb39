"""The deflated Sharpe ratio: the probability that the true Sharpe ratio exceeds the best one expected by chance among the variants tried.

Source: Bailey and López de Prado 2014, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and Non-Normality".
"""

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist

import numpy as np

from coinfarm.candles.arrays import Values

_NORMAL = NormalDist()
_EULER_MASCHERONI = 0.5772156649015329


def sharpe_ratio(returns: Values) -> float:
    """Per period, without a risk-free rate, of the returns `(n,)` of one period each; 0 if they do not vary."""
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    return float(returns.mean()) / deviation if deviation > 1e-15 else 0.0


def expected_best(tried: Sequence[float]) -> float:
    """The expected best Sharpe ratio of equally many variants without skill, whose ratios vary as much as those `tried`."""
    if len(tried) < 2:
        return 0.0
    return expected_maximum(float(np.var(tried, ddof=1)), len(tried))


def expected_maximum(variance: float, trials: int) -> float:
    """The expected maximum of the Sharpe ratios of `trials` variants without skill, with that variance ("False Strategy" theorem)."""
    quantile_1, quantile_2 = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER_MASCHERONI) * quantile_1 + _EULER_MASCHERONI * quantile_2)


def probability_above(ratio: float, benchmark: float, count: int, skewness: float, kurtosis: float) -> float:
    """The probability that the true Sharpe ratio is above the benchmark, given `ratio` from `count` returns with that skewness and kurtosis
    (3 for a normal distribution); all per period.
    """
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    return _NORMAL.cdf((ratio - benchmark) * sqrt(count - 1) / sqrt(max(spread, 1e-12)))


def deflated_sharpe_probability(returns: Values, tried: Sequence[float]) -> float:
    """The probability, 0 to 1, that the true Sharpe ratio of `returns` `(n,)` is above the best one that luck alone would show.

    `tried` are the Sharpe ratios, per period, of all variants that were tried, this one included. NaN if there are fewer than three
    returns, or they do not vary.
    """
    if len(returns) < 3 or returns.std() < 1e-15:
        return float("nan")
    standard = (returns - returns.mean()) / returns.std()
    moments = float((standard**3).mean()), float((standard**4).mean())
    return probability_above(sharpe_ratio(returns), expected_best(tried), len(returns), *moments)
