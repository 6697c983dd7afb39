"""How often the sign of a prediction is correct: overall and by parts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import rounded
from coinfarm.evaluation.score_intervals import BlockBootstrap, Interval
from coinfarm.models import evaluation_document
from coinfarm.outputs import OUTPUT_NAMES

STRONGEST_SHARE = 0.05
VOLATILITY_TERCILES = ("low", "middle", "high")

_RISE, _DECLINE, _END = (OUTPUT_NAMES.index(name) for name in ("maxRisePct", "maxDeclinePct", "endChangePct"))
_HOUR_MS = 3_600_000
_HOURS = 24

Chosen = NDArray[np.bool_]


def end_change(values_pct: Values) -> Values:
    """What the direction is called by, `(n,)`: positive is up."""
    return values_pct[:, _END]


def rise_over_decline(values_pct: Values) -> Values:
    """How much greater the rise is than the decline, `(n,)` in percent points: the sign is the call."""
    lead: Values = np.abs(values_pct[:, _RISE]) - np.abs(values_pct[:, _DECLINE])
    return lead


@dataclass(frozen=True, eq=False)
class SignComparison:
    """Of each frame `(n,)` whether there was something to call, whether it was called right, and whether a call was made."""

    counted: Chosen
    right: Chosen
    told: Chosen

    @classmethod
    def of(cls, predicted: Values, actual: Values) -> "SignComparison":
        """From what was foretold and what happened, whose signs are compared."""
        counted = actual != 0
        return cls(counted, counted & (np.sign(predicted) == np.sign(actual)), counted & (predicted != 0))


def direction_accuracy(
    predicted: Values, actual: Values, rows: Observations, chance: BlockBootstrap
) -> evaluation_document.DirectionAccuracy:
    """How often the sign of `predicted` `(n,)` was that of `actual`: overall and by parts."""
    outcome = SignComparison.of(predicted, actual)
    everything = np.ones(len(rows), np.bool_)
    singles = _shares({"overall": everything, "strongest": _strongest(predicted)}, outcome, chance)
    return evaluation_document.DirectionAccuracy(
        overall=singles["overall"],
        strongest=singles["strongest"],
        by_coin=_shares(_by(rows.symbols), outcome, chance),
        by_month=_shares(_by(rows.close_time.astype("M8[ms]").astype("M8[M]").astype(str)), outcome, chance),
        by_hour=_shares(_by_hour(rows), outcome, chance),
        by_volatility=_shares(_by_volatility(rows), outcome, chance),
    )


def baseline_accuracy(model: SignComparison, baseline: SignComparison, chance: BlockBootstrap) -> evaluation_document.BaselineAccuracy:
    """A baseline beside the model, whose lead is measured frame by frame."""
    counted = baseline.counted
    lead = model.right.astype(float) - baseline.right
    right, led = chance.shares([baseline.right, lead], [counted, counted])
    made = bool(baseline.told.any())
    compared = made and bool(model.told.any())
    return evaluation_document.BaselineAccuracy(
        frames=int(counted.sum()),
        right_pct=rounded(100.0 * baseline.right.sum() / counted.sum()) if made else None,
        interval_pct=_in_percent(right) if made else None,
        model_lead_pct=rounded(100.0 * lead.sum() / counted.sum()) if compared else None,
        model_lead_interval_pct=_in_percent(led) if compared else None,
    )


def _shares(parts: Mapping[str, Chosen], outcome: SignComparison, chance: BlockBootstrap) -> dict[str, evaluation_document.Accuracy]:
    """The share of right calls of each part."""
    intervals = chance.shares(
        [outcome.right & part for part in parts.values()],
        [outcome.counted & part for part in parts.values()],
    )
    shares = {}
    for (name, part), bounds in zip(parts.items(), intervals, strict=True):
        frames = int((outcome.counted & part).sum())
        made = bool((outcome.told & part).any())
        shares[name] = evaluation_document.Accuracy(
            frames=frames,
            right_pct=rounded(100.0 * (outcome.right & part).sum() / frames) if made else None,
            interval_pct=_in_percent(bounds) if made else None,
        )
    return shares


def _strongest(predicted: Values) -> Chosen:
    strength = np.abs(predicted)
    strongest = np.zeros(len(predicted), np.bool_)
    count = max(1, round(STRONGEST_SHARE * len(predicted)))
    strongest[np.argsort(-strength, kind="stable")[:count]] = True
    return strongest


def _by(names: NDArray[np.str_]) -> dict[str, Chosen]:
    return {str(name): names == name for name in np.unique(names)}


def _by_hour(rows: Observations) -> dict[str, Chosen]:
    """By the UTC hour in which the horizon begins."""
    hour = (rows.close_time + 1) // _HOUR_MS % _HOURS
    return {f"{number:02}": hour == number for number in range(_HOURS) if (hour == number).any()}


def _by_volatility(rows: Observations) -> dict[str, Chosen]:
    bounds = np.quantile(rows.volatility_pct, [1 / 3, 2 / 3])
    tercile = np.searchsorted(bounds, rows.volatility_pct, side="left")
    return {name: tercile == number for number, name in enumerate(VOLATILITY_TERCILES) if (tercile == number).any()}


def _in_percent(bounds: Interval | None) -> Interval | None:
    return None if bounds is None else (rounded(100.0 * bounds[0]), rounded(100.0 * bounds[1]))
