"""The baselines that a model is compared with: constants, and a linear model of simple features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.metrics import Metrics, scores
from coinfarm.outputs import OUTPUT_NAMES

RIDGE_PENALTY = 1e-3
"""The L2 penalty per observation, for features scaled to a standard deviation of 1."""
_MAX_FEATURE = 5.0
"""In standard deviations: features are clipped, so that a crash is not extrapolated without limit."""


@dataclass(frozen=True, eq=False)
class NaiveBaselines:
    """The constants of the simplest baselines, `(3,)` each, one per output: `mean_pct`, and `per_range`, a multiple of a window's range."""

    mean_pct: Values
    per_range: Values

    @classmethod
    def fit(cls, range_pct: Values, targets_pct: Values) -> "NaiveBaselines":
        """By least squares, from the ranges `(n,)` and targets `(n, 3)` of training windows, in percent."""
        squares = float(range_pct @ range_pct)
        return cls(targets_pct.mean(axis=0), range_pct @ targets_pct / squares if squares else np.zeros(targets_pct.shape[1]))

    def predict(self, range_pct: Values) -> dict[str, Values]:
        """`trainingMean` and `constantTimesRange`, each `(n, 3)` in percent, for windows with these ranges `(n,)`."""
        return {
            "trainingMean": np.broadcast_to(self.mean_pct, (len(range_pct), len(self.mean_pct))),
            "constantTimesRange": range_pct[:, None] * self.per_range,
        }


@dataclass(frozen=True, eq=False)
class RidgeRegression:
    """A linear model: `(f, 3)` coefficients of standardised features, and an intercept `(3,)`."""

    mean: Values
    deviation: Values
    coefficients: Values
    intercept_pct: Values

    @classmethod
    def fit(cls, features: Values, targets_pct: Values) -> "RidgeRegression":
        """By penalised least squares, from features `(n, f)` and targets `(n, 3)`."""
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0)
        scaled = _scaled(features, mean, deviation)
        centre, intercept = scaled.mean(axis=0), targets_pct.mean(axis=0)
        scaled -= centre
        gram = scaled.T @ scaled + RIDGE_PENALTY * len(scaled) * np.eye(scaled.shape[1])
        coefficients = np.linalg.solve(gram, scaled.T @ (targets_pct - intercept))
        return cls(mean, deviation, coefficients, intercept - centre @ coefficients)

    def predict(self, features: Values) -> Values:
        """`(n, 3)` in percent."""
        predicted: Values = _scaled(features, self.mean, self.deviation) @ self.coefficients + self.intercept_pct
        return predicted


def scores_with_baselines(
    predicted_pct: Values, actual_pct: Values, range_pct: Values, naive: NaiveBaselines, names: Sequence[str] = OUTPUT_NAMES
) -> Metrics:
    """The scores of predictions `(n, outputs)` and of the naive baselines, in the format of a manifest's `metrics`."""
    baselines = {"zero": np.zeros(actual_pct.shape), **naive.predict(range_pct)}
    return {
        "frames": len(actual_pct),
        "model": scores(predicted_pct, actual_pct, names),
        "baselines": {name: scores(baseline, actual_pct, names) for name, baseline in baselines.items()},
    }


def _scaled(features: Values, mean: Values, deviation: Values) -> Values:
    scaled: Values = np.clip((features - mean) / deviation, -_MAX_FEATURE, _MAX_FEATURE)
    return scaled
