import numpy as np
import pytest

from coinfarm.evaluation.error_bands import BAND_PCT, QUANTILES, bands, error_quantiles, within_bands

RANDOM = np.random.default_rng(1)
RANGE_PCT = RANDOM.uniform(0.2, 2.0, size=4_000)
PREDICTED = RANGE_PCT[:, None] * [0.6, -0.4, 0.1]
ACTUAL = PREDICTED + RANGE_PCT[:, None] * RANDOM.gumbel(size=(4_000, 3))


def test_the_band_holds_its_share_of_the_outcomes():
    quantiles = error_quantiles(PREDICTED, ACTUAL)
    assert 100 * within_bands(PREDICTED, ACTUAL, quantiles).mean(axis=0) == pytest.approx([BAND_PCT] * 3, abs=0.1)
    calm = RANGE_PCT < 1.0
    assert 100 * within_bands(PREDICTED[calm], ACTUAL[calm], quantiles).mean() == pytest.approx(BAND_PCT, abs=2)
    assert 100 * within_bands(PREDICTED, PREDICTED + 2 * (ACTUAL - PREDICTED), quantiles).mean() < 70


def test_a_band_is_as_wide_as_the_predicted_range():
    quantiles = np.quantile(RANDOM.gumbel(size=1_000_000), QUANTILES)
    np.testing.assert_allclose(error_quantiles(PREDICTED, ACTUAL), np.tile(quantiles, (3, 1)), atol=0.06)
    found = bands(np.array([[0.6, -0.4, 0.1], [1.2, -0.8, 0.2]]), np.array([[-0.5, 0.0, 0.5]] * 3))
    np.testing.assert_allclose(found[0], [[0.1, 0.6, 1.1], [-0.9, -0.4, 0.1], [-0.4, 0.1, 0.6]])
    np.testing.assert_allclose(found[1], 2 * found[0])


def test_a_predicted_range_of_zero_has_a_band():
    assert np.isfinite(error_quantiles(np.zeros((5, 3)), np.ones((5, 3)))).all()
