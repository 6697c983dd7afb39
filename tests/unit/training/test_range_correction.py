import numpy as np
import pytest

from coinfarm.training.range_correction import fit_correction

RANDOM = np.random.default_rng(1)
RANGE_PCT = np.exp(RANDOM.normal(1.0, 1.0, 20_000))
RAW = RANDOM.normal(0.2, 0.1, 20_000)
WEIGHTS = RANDOM.uniform(0.5, 2.0, 20_000)


def test_recovers_planted_coefficients() -> None:
    log_range = np.log(RANGE_PCT)
    targets = 0.05 + 0.9 * RAW + 0.01 * log_range - 0.1 * RAW * log_range + RANDOM.normal(0.0, 0.02, len(RAW))
    inside = np.abs(log_range - 1.0) < 3.0  # no range is beyond the quantiles
    found = fit_correction(RAW[inside], RANGE_PCT[inside], targets[inside], WEIGHTS[inside])
    assert [found.intercept, found.slope, found.intercept_per_log_range, found.slope_per_log_range] == pytest.approx(
        [0.05, 0.9, 0.01, -0.1], abs=0.01
    )


def test_windows_count_by_their_weight() -> None:
    wide = np.e < RANGE_PCT
    targets = np.where(wide, 2.0, 1.0) * RAW
    weights = np.where(wide, 1e6, 1.0)
    found = fit_correction(RAW, RANGE_PCT, targets, weights)
    np.testing.assert_allclose(found.apply(RAW[wide], RANGE_PCT[wide]), targets[wide], atol=1e-3)


def test_without_an_intercept_zero_stays_zero() -> None:
    found = fit_correction(RAW, RANGE_PCT, 0.5 + 0.9 * RAW, WEIGHTS, with_intercept=False)
    assert found.apply(np.zeros(3), np.array([0.1, 1.0, 100.0])).tolist() == [0.0] * 3


def test_a_slope_that_would_become_negative_does_not_depend_on_the_range() -> None:
    found = fit_correction(RAW, RANGE_PCT, RAW * (1.0 - 0.5 * np.log(RANGE_PCT)), WEIGHTS)
    assert (found.intercept_per_log_range, found.slope_per_log_range) == (0.0, 0.0)


def test_ranges_beyond_those_of_almost_all_windows_count_as_theirs() -> None:
    found = fit_correction(RAW, RANGE_PCT, RAW * np.log(RANGE_PCT + 10.0), WEIGHTS)
    raw = np.full(2, 0.2)
    assert found.max_range_pct == pytest.approx(np.quantile(RANGE_PCT, 0.999))
    assert np.ptp(found.apply(raw, np.array([found.max_range_pct, 1e6]))) == 0.0
