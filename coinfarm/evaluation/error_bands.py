"""Bands around predictions, from the errors of an evaluation: the model itself predicts no quantiles.

Errors are larger where the model predicts larger moves, so they are measured in units of the predicted range: the predicted rise minus the
predicted decline.
"""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.outputs import OUTPUT_NAMES

QUANTILES = (0.1, 0.5, 0.9)
BAND_PCT = 80.0
"""The share of outcomes between the first and the last quantile."""
_MIN_RANGE_PCT = 0.01
_RISE, _DECLINE = (OUTPUT_NAMES.index(name) for name in ("maxRisePct", "maxDeclinePct"))


def error_quantiles(predicted_pct: Values, actual_pct: Values) -> Values:
    """`(3, 3)`: of each output the `QUANTILES` of its errors, from predictions and outcomes `(n, 3)`."""
    errors = (actual_pct - predicted_pct) / _predicted_range(predicted_pct)
    quantiles: Values = np.quantile(errors, QUANTILES, axis=0).T
    return quantiles


def bands(predicted_pct: Values, quantiles: Values) -> Values:
    """`(n, 3, 3)` in percent: for each prediction `(n, 3)` and output the quantiles of its outcome, lowest first."""
    return predicted_pct[:, :, None] + _predicted_range(predicted_pct)[:, :, None] * quantiles


def within_bands(predicted_pct: Values, actual_pct: Values, quantiles: Values) -> NDArray[np.bool_]:
    """Whether each outcome is between the first and the last quantile, `(n, 3)`."""
    band = bands(predicted_pct, quantiles)
    return np.asarray((band[:, :, 0] <= actual_pct) & (actual_pct <= band[:, :, -1]))


def _predicted_range(predicted_pct: Values) -> Values:
    """`(n, 1)`; at least a hundredth of a percent."""
    return np.maximum(predicted_pct[:, _RISE] - predicted_pct[:, _DECLINE], _MIN_RANGE_PCT)[:, None]
