"""The automatic block length of a block bootstrap.

Source: Politis and White 2004, "Automatic block-length selection for the dependent bootstrap", with the correction of Patton, Politis and
White 2009. The tests compare it with `arch.bootstrap.optimal_block_length`, which would bring three large packages for one formula.
"""

from math import ceil, log10, sqrt

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def circular_block_length(values: Values) -> float:
    """The length that minimises the error of a circular block bootstrap's variance of the mean; of `values` `(n,)` in order of time.

    It is 1 for values that do not vary, and for fewer than ten.
    """
    count = len(values)
    centred = values - values.mean() if count else values
    if count < 10 or not centred.any():
        return 1.0
    needed = max(5, int(log10(count)))
    max_lag = ceil(sqrt(count)) + needed
    covariance, correlation = _autocorrelation(centred, min(max_lag, count - 2))
    significant = np.abs(correlation) >= 2.0 * sqrt(log10(count) / count)
    bandwidth = min(2 * _last_lag(significant, needed), len(covariance) - 1)
    lag = np.arange(1, bandwidth + 1)
    # The flat-top lag window: 1 up to half of the bandwidth, then a straight line to 0.
    weighted = np.minimum(1.0, 2.0 * (1.0 - lag / bandwidth)) * covariance[1 : bandwidth + 1]
    long_run_variance = covariance[0] + 2.0 * weighted.sum()
    slope = 2.0 * (lag * weighted).sum()
    if not long_run_variance:
        return 1.0
    length = (2.0 * slope**2 / (4.0 / 3.0 * long_run_variance**2) * count) ** (1.0 / 3.0)
    return float(max(1.0, min(length, ceil(min(3.0 * sqrt(count), count / 3.0)))))


def _autocorrelation(centred: Values, max_lag: int) -> tuple[Values, Values]:
    """The autocovariances and autocorrelations `(max_lag + 1,)`; a correlation is scaled by the values that enter it."""
    count = len(centred)
    covariance, correlation = np.empty(max_lag + 1), np.empty(max_lag + 1)
    squares = np.append(0.0, np.cumsum(centred**2))
    for lag in range(max_lag + 1):
        product = float(centred[lag:] @ centred[: count - lag])
        covariance[lag] = product / count
        scale = (squares[-1] - squares[lag + 1]) * squares[count - lag - 1]
        correlation[lag] = product / sqrt(scale) if scale > 0 else 0.0
    return covariance, correlation


def _last_lag(significant: np.ndarray, needed: int) -> int:
    """The first lag from which `needed` neighbouring autocorrelations are not significant; the largest if there is none."""
    for lag in range(1, len(significant) - needed):
        if not significant[lag : lag + needed].any():
            return lag
    return len(significant)
