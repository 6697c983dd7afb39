"""Scores of predictions against actual values. An undefined metric, such as a correlation with constant values, is None, never NaN."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic.alias_generators import to_camel

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.day import DAY_MS
from coinfarm.outputs import OUTPUT_NAMES

Metrics = dict[str, Any]

_MIN_FRAMES_PER_DAY = 10
_DECIMALS = 5


def scores(predicted: Values, actual: Values, names: Sequence[str] = OUTPUT_NAMES) -> Metrics:
    """R², mean absolute error in percentage points and rank correlation of each output, from `(n, outputs)` in percent.

    An end change also has its direction accuracy, in percent of the frames after which the price moved; None if no direction is
    predicted.
    """
    by_output: Metrics = {}
    for at, name in enumerate(names):
        p, a = predicted[:, at], actual[:, at]
        by_output[name] = {to_camel(key): value for key, value in output_scores(p, a).items()}
        if name.startswith("endChangePct"):
            moved = a != 0
            predicted_sign = np.sign(p[moved])
            correct = predicted_sign == np.sign(a[moved])
            by_output[name]["directionRightPct"] = rounded(100.0 * correct.mean()) if predicted_sign.any() else None
    return by_output


def output_scores(predicted: Values, actual: Values) -> dict[str, float | None]:
    """R², mean absolute error in percentage points and rank correlation of one output, from `(n,)` in percent."""
    return {
        "r2": r2(predicted, actual),
        "mean_absolute_error_pct": mean_absolute_error(predicted, actual),
        "rank_correlation": rank_correlation(predicted, actual),
    }


def r2(predicted: Values, actual: Values) -> float | None:
    """The share of the variance that is predicted: 1 - squared errors / squared deviations from the mean. None if nothing varied."""
    if not varies(actual):
        return None
    return rounded(1.0 - ((actual - predicted) ** 2).sum() / ((actual - actual.mean()) ** 2).sum())


def mean_absolute_error(predicted: Values, actual: Values) -> float | None:
    """In the unit of the values; None without values."""
    return rounded(np.abs(actual - predicted).mean()) if len(actual) else None


def rank_correlation(predicted: Values, actual: Values) -> float | None:
    """Spearman's; zero for a constant prediction, None if the actual values do not vary."""
    if not varies(actual):
        return None
    if not varies(predicted):
        return 0.0
    return rounded(np.corrcoef(ranks(predicted), ranks(actual))[0, 1])


@dataclass(frozen=True)
class DayCorrelation:
    """The rank correlation of the frames that close on one UTC day, `day` counted from 1970-01-01."""

    day: int
    frames: int
    rank_correlation: float


def daily_rank_correlations(predicted: Values, actual: Values, close_time: Times) -> list[DayCorrelation]:
    """The information coefficient by UTC day, of all frames `(n,)` of a day, all coins together.

    Days of fewer than ten frames are left out, and days whose values do not vary.
    """
    day = close_time // DAY_MS
    order = np.argsort(day, kind="stable")
    days, first = np.unique(day[order], return_index=True)
    found = []
    for number, part in zip(days.tolist(), np.split(order, first[1:]), strict=True):
        if len(part) >= _MIN_FRAMES_PER_DAY and varies(predicted[part]):
            correlation = rank_correlation(predicted[part], actual[part])
            if correlation is not None:
                found.append(DayCorrelation(number, len(part), correlation))
    return found


def t_statistic(values: Values) -> float | None:
    """The mean over its standard error, as if the values were independent; None for fewer than two, or if they do not vary."""
    if len(values) < 2 or not varies(values):
        return None
    return rounded(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def line_through(predicted: Values, actual: Values) -> tuple[float, float] | None:
    """Slope and intercept of the least-squares line of actual over predicted values: 1 and 0 if well calibrated."""
    if not varies(predicted):
        return None
    centred = predicted - predicted.mean()
    slope = (centred @ actual) / (centred @ centred)
    return rounded(slope), rounded(actual.mean() - slope * predicted.mean())


def deciles(predicted: Values) -> list[NDArray[np.intp]]:
    """The indices of ten groups of equal size, from the lowest predictions to the highest; one group if all are the same."""
    order = np.argsort(predicted, kind="stable")
    return [part for part in np.array_split(order, 10 if varies(predicted) else 1) if len(part)]


def varies(values: Values) -> bool:
    """Whether any two differ."""
    return len(values) > 1 and bool(np.ptp(values) > 0)


def rounded(value: float) -> float:
    """Rounded for documents: further digits are noise."""
    return round(float(value), _DECIMALS)


def ranks(values: Values) -> Values:
    """Ranks from 1 on; ties have their mean rank."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(sizes)
    mean_rank: Values = last_rank - (sizes - 1) / 2.0
    return mean_rank[group]
