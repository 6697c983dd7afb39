"""How good predictions are, against what happened and against what costs nothing to say."""

from typing import Any

import numpy as np

from coinfarm.candles import Values
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.training.dataset import Samples

Metrics = dict[str, Any]


def evaluate(predicted_pct: Values, samples: Samples, train: Samples) -> Metrics:
    """Metrics of predictions `(n, 3)` in percent, beside those of the naive baselines, whose constants come from `train`."""
    actual = samples.targets_pct
    return {
        "frames": len(samples),
        "model": scores(predicted_pct, actual),
        "baselines": {name: scores(baseline, actual) for name, baseline in naive_baselines(samples, train).items()},
    }


def naive_baselines(samples: Samples, train: Samples) -> dict[str, Values]:
    """What a person could say without looking at the chart, each `(n, 3)` in percent."""
    shape = samples.targets_pct.shape
    best_constant = train.range_pct @ train.targets_pct / (train.range_pct @ train.range_pct)  # least squares
    return {
        "zero": np.zeros(shape),
        "trainingMean": np.broadcast_to(train.targets_pct.mean(axis=0), shape),
        "constantTimesRange": samples.range_pct[:, None] * best_constant,
    }


def scores(predicted: Values, actual: Values) -> Metrics:
    """R², mean absolute error in percent points and rank correlation of each output; for the end change also the
    share of right directions, in percent of the frames after which the price did move (None where no direction is told).
    """
    by_output: Metrics = {}
    for at, name in enumerate(OUTPUT_NAMES):
        p, a = predicted[:, at], actual[:, at]
        by_output[name] = {
            "r2": _rounded(1.0 - ((a - p) ** 2).sum() / ((a - a.mean()) ** 2).sum()),
            "meanAbsoluteErrorPct": _rounded(np.abs(a - p).mean()),
            "rankCorrelation": _rounded(_rank_correlation(p, a)),
        }
        if name == "endChangePct":
            moved = a != 0
            told = np.sign(p[moved])
            right = told == np.sign(a[moved])
            by_output[name]["directionRightPct"] = _rounded(100.0 * right.mean()) if told.any() else None
    return by_output


def _rank_correlation(p: Values, a: Values) -> float:
    """Spearman's; of a constant, which ranks nothing, zero."""
    if np.ptp(p) == 0 or np.ptp(a) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(p), _ranks(a))[0, 1])


def _ranks(values: Values) -> Values:
    """Ranks, ties sharing their mean."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(sizes)
    mean_rank: Values = last_rank - (sizes - 1) / 2.0
    return mean_rank[group]


def _rounded(value: float) -> float:
    return round(float(value), 5)
