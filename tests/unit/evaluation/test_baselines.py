import numpy as np
import pytest

from coinfarm.evaluation.baselines import NaiveBaselines, RidgeRegression, scores_with_baselines

RANDOM = np.random.default_rng(1)
RANGE_PCT = RANDOM.uniform(0.5, 3.0, size=200)
TARGETS_PCT = RANGE_PCT[:, None] * [0.3, -0.2, 0.0] + RANDOM.normal(scale=0.1, size=(200, 3))


def test_naive_baselines_are_fitted_by_least_squares() -> None:
    naive = NaiveBaselines.fit(RANGE_PCT, TARGETS_PCT)
    baselines = naive.predict(np.array([1.0, 2.0]))
    slope = [np.linalg.lstsq(RANGE_PCT[:, None], target, rcond=None)[0][0] for target in TARGETS_PCT.T]
    np.testing.assert_allclose(baselines["trainingMean"], np.tile(TARGETS_PCT.mean(axis=0), (2, 1)))
    np.testing.assert_allclose(baselines["constantTimesRange"], np.outer([1.0, 2.0], slope))


def test_windows_without_a_range_give_a_factor_of_zero() -> None:
    assert NaiveBaselines.fit(np.zeros(5), np.ones((5, 3))).per_range.tolist() == [0, 0, 0]


def test_scores_include_every_naive_baseline() -> None:
    metrics = scores_with_baselines(TARGETS_PCT, TARGETS_PCT, RANGE_PCT, NaiveBaselines.fit(RANGE_PCT, TARGETS_PCT))
    assert metrics["frames"] == 200
    assert metrics["model"]["maxRisePct"]["r2"] == 1.0
    assert set(metrics["baselines"]) == {"zero", "trainingMean", "constantTimesRange"}
    assert metrics["baselines"]["trainingMean"]["maxRisePct"]["r2"] == pytest.approx(0, abs=1e-9)


def test_ridge_regression_recovers_a_linear_relation_in_any_units() -> None:
    features = RANDOM.normal(size=(5_000, 3)) * [1.0, 1e-3, 1e4] + [0.0, 5.0, -1e5]
    truth = features @ np.array([[1.0, 0.0, -1.0], [500.0, 100.0, 0.0], [1e-4, 0.0, 2e-4]]) + 3.0
    test_features = RANDOM.normal(size=(100, 3)) * [1.0, 1e-3, 1e4] + [0.0, 5.0, -1e5]
    expected = test_features @ np.array([[1.0, 0.0, -1.0], [500.0, 100.0, 0.0], [1e-4, 0.0, 2e-4]]) + 3.0
    found = RidgeRegression.fit(features, truth).predict(test_features)
    assert np.abs(found - expected).max() < 0.02


def test_ridge_regression_accepts_constant_and_duplicate_features() -> None:
    one = RANDOM.normal(size=500)
    features = np.column_stack([one, one, np.full(500, 7.0)])
    targets = np.column_stack([2 * one, -one, one])
    np.testing.assert_allclose(RidgeRegression.fit(features, targets).predict(features), targets, atol=0.02)


def test_ridge_regression_clips_extreme_features() -> None:
    one = RANDOM.normal(size=(500, 1))
    ridge = RidgeRegression.fit(one, np.repeat(one, 3, axis=1))
    assert np.abs(ridge.predict(np.array([[1e6]]))).max() < 6
