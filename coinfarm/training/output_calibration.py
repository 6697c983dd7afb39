"""Calibration of a trained network's outputs on the validation period.

A network that was trained for long predicts moves that are too large, most of all where there is little to predict. Each output is scaled
around its mean by the slope of the least-squares line of actual over predicted values, and more so the less sure that slope is. An output
whose slope is not positive becomes constant: the model says that it does not know.
"""

import numpy as np

from coinfarm.candles.arrays import Times, Values
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models.calibration import OutputCalibration
from coinfarm.models.evaluation_scores import ConfidenceInterval
from coinfarm.targets import flip_targets
from coinfarm.training.candle_arrays import split_range
from coinfarm.training.config import TargetUnit
from coinfarm.training.dataset import WindowDataset
from coinfarm.training.window_intervals import interval_names, windows_of
from image_render.spec import STANDARD

_TARGETS_AT_ONCE = 100_000
_Z_90 = 1.645
"""Half the width of a 90 % interval, in standard errors."""


def calibrate_outputs(outputs: Values, validation: WindowDataset, mean: Values, unit: TargetUnit) -> dict[str, OutputCalibration]:
    """The calibration of each output, from the network's `outputs` `(n, outputs)` for the validation windows, and the mean targets
    `(outputs,)`.

    The slopes are of deviations from the means of each interval. All intervals have the same weight; within one, windows of a wide range
    count more if targets are shares of it, as they do in percent. The factor is

    - the slope, times the share `slope² / (slope² + error²)` that a normal prior around zero leaves of it, where the standard error is that
      of its block-bootstrap interval,
    - 0 if the slope is not positive,
    - if the period is too short for an interval: 0 for the end change, which is the hardest to predict, and 1 for the others.
    """
    weights = validation.interval_weights(validation.range_pct if unit == "window_range" else None)
    longest_ms = max(series.interval_ms for series in validation.series)
    intervals = ScoreIntervals.of(_close_times(validation), longest_ms, max(validation.horizons))
    targets = validation.targets(unit)
    found = {}
    for at, name in enumerate(validation.output_names):
        predicted, actual = (_centred(values[:, at], weights, validation) for values in (outputs, targets))
        squares = float(weights @ predicted**2)
        slope = float(weights @ (predicted * actual)) / squares if squares else None
        bounds = intervals.of_slope(predicted, actual, weights).bounds
        found[name] = OutputCalibration(factor=_factor(name, slope, bounds), mean=float(mean[at]), slope=slope, slope_interval=bounds)
    return found


def mean_targets(train: WindowDataset, unit: TargetUnit, *, mirrored: bool) -> Values:
    """The mean of each target, `(outputs,)`, over the training windows: the mean of the means of all intervals.

    With `mirrored` it is that of the windows and their mirror images, from which the network learnt.
    """
    weights = train.interval_weights()
    sums = (weights[part] @ train.targets(unit, part) for part in split_range(len(train), _TARGETS_AT_ONCE))
    means = sum(sums, np.zeros(len(train.output_names))) / len(train)
    return (means + flip_targets(means[None])[0]) / 2.0 if mirrored else means


def _factor(name: str, slope: float | None, bounds: ConfidenceInterval | None) -> float:
    if slope is None:
        return 0.0
    if bounds is None:
        return 0.0 if name.startswith("endChangePct") else 1.0
    if slope <= 0:
        return 0.0
    error = (bounds[1] - bounds[0]) / (2.0 * _Z_90)
    return float(slope**3 / (slope**2 + error**2))


def _centred(values: Values, weights: Values, dataset: WindowDataset) -> Values:
    """The deviations from the weighted mean of each interval, `(n,)`."""
    centred = values.copy()
    for name in interval_names(dataset):
        here = windows_of(dataset, name)
        centred[here] -= np.average(values[here], weights=weights[here])
    return centred


def _close_times(dataset: WindowDataset) -> Times:
    """The last millisecond of each window, `(n,)`."""
    last = dataset.starts + STANDARD.window_candles - 1
    times = np.empty(len(dataset), np.int64)
    for number, series in enumerate(dataset.series):
        here = dataset.series_index == number
        times[here] = series.open_time[last[here]] + series.interval_ms - 1
    return times
