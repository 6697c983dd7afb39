"""The baselines that are fitted on the training period and can be stored with an evaluation, to predict live windows too."""

from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.baselines import NaiveBaselines, RidgeRegression
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.har import HarModel
from coinfarm.models.live_reference import BaselineModels
from coinfarm.targets import flip_targets


@dataclass(frozen=True, eq=False)
class FittedBaselines:
    """All fitted baselines except gradient boosting."""

    naive: NaiveBaselines
    har: HarModel
    ridge: RidgeRegression

    @classmethod
    def fit(cls, observations: Observations) -> "FittedBaselines":
        """By least squares, on windows of the training period."""
        actual = observations.actual_pct
        return cls(
            NaiveBaselines.fit(observations.range_pct, actual),
            HarModel.fit(observations.realised_volatility_pct, actual),
            RidgeRegression.fit(observations.features, actual),
        )

    def predict(self, observations: Observations) -> dict[str, Values]:
        """The predictions of each baseline, `(n, 3)` in percent."""
        return {
            **self.naive.predict(observations.range_pct),
            "har": self.har.predict(observations.realised_volatility_pct),
            "ridge": self.ridge.predict(observations.features),
        }

    @classmethod
    def from_record(cls, record: BaselineModels) -> "FittedBaselines":
        """As stored with an evaluation."""
        return cls(
            NaiveBaselines(np.array(record.mean_pct), np.array(record.per_range)),
            HarModel(np.array(record.har_coefficients), np.array(record.har_intercept_pct)),
            RidgeRegression(
                np.array(record.ridge_mean),
                np.array(record.ridge_deviation),
                np.array(record.ridge_coefficients),
                np.array(record.ridge_intercept_pct),
            ),
        )

    def to_record(self) -> BaselineModels:
        """To store it with an evaluation."""
        return BaselineModels(
            mean_pct=tuple(self.naive.mean_pct.tolist()),
            per_range=tuple(self.naive.per_range.tolist()),
            har_coefficients=_rows(self.har.coefficients),
            har_intercept_pct=tuple(self.har.intercept_pct.tolist()),
            ridge_mean=tuple(self.ridge.mean.tolist()),
            ridge_deviation=tuple(self.ridge.deviation.tolist()),
            ridge_coefficients=_rows(self.ridge.coefficients),
            ridge_intercept_pct=tuple(self.ridge.intercept_pct.tolist()),
        )


def unfitted_baselines(observations: Observations) -> dict[str, Values]:
    """The predictions of the baselines that need no training data, `(n, 3)` in percent each."""
    # Prices that bounce between bid and ask come back, so the opposite move, whose rise is the decline, may be the better guess.
    persistence = observations.persistence_pct
    return {"zero": np.zeros(observations.actual_pct.shape), "persistence": persistence, "reversal": flip_targets(persistence)}


def _rows(matrix: Values) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
