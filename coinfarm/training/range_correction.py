"""What the image does not show: how the moves after a window depend on the size of its price range.

Prices of a window are scaled to its own range, so the network cannot tell a range of 1 % from one of 10 %. But after an unusually wide
range the moves are a smaller share of it. Four coefficients an output, fitted after the training, say by how much.
"""

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.models.output_correction import OutputCorrection
from coinfarm.training.dataset import WindowDataset

_RANGE_QUANTILES = 0.001, 0.999
"""Beyond them a range counts as theirs."""


def fit_corrections(raw: Values, dataset: WindowDataset, *, mirrored: bool) -> list[OutputCorrection]:
    """The correction of each output, from a network's raw outputs for a dataset `(n, outputs)` in units of the range.

    The end change has no intercept if the network learnt `mirrored` frames too: for it a rise is as likely as a decline.
    """
    weights = dataset.interval_weights(dataset.range_pct)
    targets = dataset.targets("window_range")
    return [
        fit_correction(
            raw[:, at], dataset.range_pct, targets[:, at], weights, with_intercept=not (mirrored and name.startswith("endChange"))
        )
        for at, name in enumerate(dataset.output_names)
    ]


def fit_correction(raw: Values, range_pct: Values, targets: Values, weights: Values, *, with_intercept: bool = True) -> OutputCorrection:
    """The correction of one output by weighted least squares, from raw outputs, price ranges, targets and weights of windows, `(n,)` each.

    Without an intercept, an output of zero stays zero. If the slope would not be positive for every range, it does not depend on the range.
    """
    low, high = (float(bound) for bound in np.quantile(range_pct, _RANGE_QUANTILES))
    log_range = np.log(np.clip(range_pct, low, high))
    zeros = np.zeros_like(raw)
    ones = np.ones_like(raw) if with_intercept else zeros
    by_range = _least_squares([ones, raw, ones * log_range, raw * log_range], targets, weights)
    if min(by_range[1] + by_range[3] * np.log([low, high])) <= 0:
        by_range = _least_squares([ones, raw, zeros, zeros], targets, weights)
    intercept, slope, intercept_per_log_range, slope_per_log_range = by_range
    return OutputCorrection(
        intercept=intercept,
        slope=slope,
        intercept_per_log_range=intercept_per_log_range,
        slope_per_log_range=slope_per_log_range,
        min_range_pct=low,
        max_range_pct=high,
    )


def _least_squares(columns: list[Values], targets: Values, weights: Values) -> list[float]:
    """The coefficient of each column; 0 for a column of zeros."""
    scale = np.sqrt(weights)
    coefficients = np.linalg.lstsq(np.column_stack(columns) * scale[:, None], targets * scale, rcond=None)[0]
    return [float(coefficient) for coefficient in coefficients]
