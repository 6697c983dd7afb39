"""The deflated Sharpe ratio: how likely a Sharpe ratio is real, given how many were tried.

Bailey and López de Prado 2014, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and Non-Normality".
"""

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist

import numpy as np

from coinfarm.candles import Values

_NORMAL = NormalDist()
_EULER_MASCHERONI = 0.5772156649015329


def sharpe_ratio(returns: Values) -> float:
    """Of returns `(n,)` over one period each, per period and over no risk-free rate; 0 where they do not vary."""
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    return float(returns.mean()) / deviation if deviation > 1e-15 else 0.0


def expected_best(sharpe_ratios: Sequence[float]) -> float:
    """The best Sharpe ratio to be expected of as many tries that are worth nothing and vary as these do (their equation 1)."""
    tries = len(sharpe_ratios)
    if tries < 2:
        return 0.0
    variance = float(np.var(sharpe_ratios, ddof=1))
    return sqrt(variance) * (
        (1 - _EULER_MASCHERONI) * _NORMAL.inv_cdf(1 - 1 / tries) + _EULER_MASCHERONI * _NORMAL.inv_cdf(1 - 1 / (tries * e))
    )


def deflated_sharpe_probability(returns: Values, tried: Sequence[float]) -> float:
    """The probability, 0 to 1, that the true Sharpe ratio of `returns` `(n,)` is above what the best of the `tried` ones would show by
    luck.

    `tried` are the Sharpe ratios, per period, of all variants that were tried, this one among them (their equation 2). NaN where the
    returns are fewer than three or do not vary.
    """
    count = len(returns)
    ratio = sharpe_ratio(returns)
    if count < 3 or returns.std() < 1e-15:
        return float("nan")
    standard = (returns - returns.mean()) / returns.std()
    skewness, kurtosis = float((standard**3).mean()), float((standard**4).mean())
    spread = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    return _NORMAL.cdf((ratio - expected_best(tried)) * sqrt(count - 1) / sqrt(max(spread, 1e-12)))
