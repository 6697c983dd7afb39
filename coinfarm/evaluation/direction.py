"""How often the sign of a prediction is correct: overall and by parts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import rounded
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models.evaluation_scores import Accuracy, BaselineAccuracy, ConfidenceInterval, DirectionAccuracy
from coinfarm.outputs import OUTPUT_NAMES

STRONGEST_SHARE = 0.05
VOLATILITY_TERCILES = ("low", "middle", "high")

_RISE, _DECLINE, _END = (OUTPUT_NAMES.index(name) for name in ("maxRisePct", "maxDeclinePct", "endChangePct"))
_HOUR_MS = 3_600_000
_HOURS = 24

Mask = NDArray[np.bool_]


def end_change(values_pct: Values) -> Values:
    """The end change `(n,)` of outputs `(n, 3)`: its sign is the direction."""
    return values_pct[:, _END]


def rise_over_decline(values_pct: Values) -> Values:
    """By how many percentage points the rise is greater than the decline, `(n,)`, from outputs `(n, 3)`."""
    difference: Values = np.abs(values_pct[:, _RISE]) - np.abs(values_pct[:, _DECLINE])
    return difference


@dataclass(frozen=True, eq=False)
class SignComparison:
    """Masks of frames `(n,)`: those whose actual value is not zero, and, among those, the correct predictions and the nonzero ones."""

    counted: Mask
    correct: Mask
    predicted: Mask

    @classmethod
    def of(cls, predicted: Values, actual: Values) -> "SignComparison":
        """Compare the signs of predictions and actual values, both `(n,)`."""
        counted = actual != 0
        return cls(counted, counted & (np.sign(predicted) == np.sign(actual)), counted & (predicted != 0))


def direction_accuracy(predicted: Values, actual: Values, observations: Observations, intervals: ScoreIntervals) -> DirectionAccuracy:
    """How often the sign of `predicted` `(n,)` is that of `actual` `(n,)`."""
    signs = SignComparison.of(predicted, actual)
    everything = np.ones(len(observations), np.bool_)
    singles = _accuracies({"overall": everything, "strongest": _strongest(predicted)}, signs, intervals)
    months = observations.close_time.astype("M8[ms]").astype("M8[M]").astype(str)
    return DirectionAccuracy(
        overall=singles["overall"],
        strongest=singles["strongest"],
        by_coin=_accuracies(_by_name(observations.symbols), signs, intervals),
        by_month=_accuracies(_by_name(months), signs, intervals),
        by_hour=_accuracies(_by_hour(observations), signs, intervals),
        by_volatility=_accuracies(_by_volatility(observations), signs, intervals),
    )


def overall_accuracy(predicted: Values, actual: Values, intervals: ScoreIntervals) -> Accuracy:
    """How often the sign of `predicted` `(n,)` is that of `actual` `(n,)`, over all frames."""
    signs = SignComparison.of(predicted, actual)
    return _accuracies({"overall": np.ones(len(actual), np.bool_)}, signs, intervals)["overall"]


def baseline_accuracy(model: SignComparison, baseline: SignComparison, intervals: ScoreIntervals) -> BaselineAccuracy:
    """A baseline's accuracy, and the difference of the model's, whose interval is of the differences frame by frame."""
    counted = baseline.counted
    difference = model.correct.astype(float) - baseline.correct
    interval, difference_interval = intervals.of_counts([baseline.correct, difference], [counted, counted])
    has_predictions = bool(baseline.predicted.any())
    is_compared = has_predictions and bool(model.predicted.any())
    return BaselineAccuracy(
        frames=int(counted.sum()),
        right_pct=rounded(100.0 * baseline.correct.sum() / counted.sum()) if has_predictions else None,
        interval_pct=_in_percent(interval) if has_predictions else None,
        model_lead_pct=rounded(100.0 * difference.sum() / counted.sum()) if is_compared else None,
        model_lead_interval_pct=_in_percent(difference_interval) if is_compared else None,
    )


def _accuracies(parts: Mapping[str, Mask], signs: SignComparison, intervals: ScoreIntervals) -> dict[str, Accuracy]:
    bounds = intervals.of_counts(
        [signs.correct & part for part in parts.values()],
        [signs.counted & part for part in parts.values()],
    )
    accuracies = {}
    for (name, part), interval in zip(parts.items(), bounds, strict=True):
        frames = int((signs.counted & part).sum())
        has_predictions = bool((signs.predicted & part).any())
        accuracies[name] = Accuracy(
            frames=frames,
            right_pct=rounded(100.0 * (signs.correct & part).sum() / frames) if has_predictions else None,
            interval_pct=_in_percent(interval) if has_predictions else None,
        )
    return accuracies


def _strongest(predicted: Values) -> Mask:
    strength = np.abs(predicted)
    strongest = np.zeros(len(predicted), np.bool_)
    count = max(1, round(STRONGEST_SHARE * len(predicted)))
    strongest[np.argsort(-strength, kind="stable")[:count]] = True
    return strongest


def _by_name(names: NDArray[np.str_]) -> dict[str, Mask]:
    return {str(name): names == name for name in np.unique(names)}


def _by_hour(observations: Observations) -> dict[str, Mask]:
    """By the UTC hour in which the horizon begins."""
    hour = (observations.close_time + 1) // _HOUR_MS % _HOURS
    return {f"{number:02}": hour == number for number in range(_HOURS) if (hour == number).any()}


def _by_volatility(observations: Observations) -> dict[str, Mask]:
    bounds = np.quantile(observations.volatility_pct, [1 / 3, 2 / 3])
    tercile = np.searchsorted(bounds, observations.volatility_pct, side="left")
    return {name: tercile == number for number, name in enumerate(VOLATILITY_TERCILES) if (tercile == number).any()}


def _in_percent(interval: ConfidenceInterval | None) -> ConfidenceInterval | None:
    return None if interval is None else (rounded(100.0 * interval[0]), rounded(100.0 * interval[1]))
