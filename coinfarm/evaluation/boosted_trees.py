"""The strongest cheap baseline: gradient-boosted trees on the same features as the ridge regression, which find what is not linear."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.features import Observations

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

PACKAGE = "sklearn"
MAX_ROWS = 200_000
"""Windows that it is fitted on: enough for a few features, and seconds of work."""
_MIN_ROWS = 500
"""With fewer, it predicts the mean."""
_VALIDATION_SHARE = 0.2
_MAX_TREES = 120
_PATIENCE = 10
_SEED = 0


def is_installed() -> bool:
    """Whether scikit-learn is."""
    return find_spec(PACKAGE) is not None


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """One model for each output; None where the mean, `mean_pct` `(3,)`, predicts best."""

    mean_pct: Values
    models: "tuple[HistGradientBoostingRegressor | None, ...]"

    @classmethod
    def fit(cls, observations: Observations, overlap_ms: int) -> "BoostedTrees":
        """Fit by least squares; the number of trees is the one with the smallest error on the last fifth of the windows.

        `overlap_ms` is the time of a window and its horizon: windows that close nearer to that fifth would have candles in common with it.
        """
        order = np.argsort(observations.close_time, kind="stable")
        rows = order[:: -(-len(order) // MAX_ROWS)]
        features, targets = observations.features[rows], observations.actual_pct[rows]
        close_time = observations.close_time[rows]
        first_validated = close_time[int((1.0 - _VALIDATION_SHARE) * len(rows))]
        validated = close_time >= first_validated
        fitted = close_time < first_validated - overlap_ms
        if fitted.sum() < _MIN_ROWS:
            return cls(targets.mean(axis=0), (None,) * targets.shape[1])
        with _one_thread():
            return cls(targets.mean(axis=0), tuple(_fit(features, target, fitted, validated) for target in targets.T))

    def predict(self, features: Values) -> Values:
        """`(n, 3)` in percent, from features `(n, f)`."""
        with _one_thread():
            columns = [
                np.full(len(features), mean) if model is None else model.predict(features)
                for mean, model in zip(self.mean_pct, self.models, strict=True)
            ]
        return np.column_stack(columns)


def _one_thread() -> AbstractContextManager[object]:
    """One OpenMP thread: threads that wait for each other on a busy machine make trees a hundred times slower."""
    import_module("sklearn.ensemble")  # loads OpenMP: the limit holds only for libraries that are loaded
    limits: AbstractContextManager[object] = import_module("threadpoolctl").threadpool_limits(1, "openmp")
    return limits


def _fit(
    features: Values, target: Values, fitted: NDArray[np.bool_], validated: NDArray[np.bool_]
) -> "HistGradientBoostingRegressor | None":
    """The model of one output, fitted on all rows with the best number of trees; None if no tree improves on the mean."""
    searched = _model(_MAX_TREES, early_stopping=True)
    searched.fit(features[fitted], target[fitted], X_val=features[validated], y_val=target[validated])
    trees = int(np.argmax(searched.validation_score_))  # of the mean, one tree, two trees, …
    return _model(trees, early_stopping=False).fit(features, target) if trees else None


def _model(trees: int, *, early_stopping: bool) -> "HistGradientBoostingRegressor":
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        loss="squared_error",
        learning_rate=0.1,
        max_iter=trees,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=early_stopping,
        n_iter_no_change=_PATIENCE,
        random_state=_SEED,
    )
