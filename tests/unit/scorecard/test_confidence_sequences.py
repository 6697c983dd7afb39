"""The closed formulas are compared with integrals of the martingales that they come from."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, t

from coinfarm.scorecard import confidence_sequences
from coinfarm.scorecard.confidence_sequences import (
    ALARM_E_VALUE,
    ALPHA,
    confidence_sequence,
    long_run_variance,
    mean_interval,
    running_variance,
    shortfall_e_values,
)

PRIOR = np.sqrt(confidence_sequences._PRIOR_VARIANCE)


def mixture(total: float, count: int, *, is_one_sided: bool) -> float:
    """The mean of exp(λ S - λ² n / 2) over a normal λ, or over its absolute value."""
    low, factor = (0.0, 2.0) if is_one_sided else (-np.inf, 1.0)
    return quad(lambda each: factor * norm.pdf(each, scale=PRIOR) * np.exp(each * total - each**2 * count / 2.0), low, np.inf)[0]


@pytest.mark.parametrize("count", [1, 7, 30, 200])
def test_bounds_are_where_the_two_sided_mixture_is_certain_enough(count):
    _, low, high = confidence_sequence(np.zeros(count), np.full(count, 0.25))
    assert low[-1] == -high[-1]
    assert mixture(high[-1] * count / 0.5, count, is_one_sided=False) == pytest.approx(1.0 / ALPHA, rel=1e-6)


def test_evidence_is_the_mixture_over_shifts_and_starts():
    scores = np.random.default_rng(1).normal(size=16) * 0.5 - 0.4
    shortfall = (0.1 - scores) / 0.5
    found = shortfall_e_values(scores, 0.1, np.full(16, 0.25))
    for count in (1, 7, 8, 16):
        started = [start for start in (0, 7, 14) if start < count]
        weights = [1 / 2, 1 / 6, 1 / 12][: len(started)]
        parts = [mixture(shortfall[start:count].sum(), count - start, is_one_sided=True) for start in started]
        assert found[count - 1] == pytest.approx(np.dot(weights, parts) + 1 - sum(weights), rel=1e-6)


def test_evidence_stays_small_as_evaluated_and_grows_without_skill():
    scores = 0.05 + 0.05 * np.random.default_rng(2).normal(size=300)
    variance = np.full(300, 0.05**2)
    assert shortfall_e_values(scores, 0.05, variance).max() < ALARM_E_VALUE
    lost = np.where(np.arange(300) < 200, scores, scores - 0.05)
    assert np.flatnonzero(shortfall_e_values(lost, 0.05, variance) >= ALARM_E_VALUE)[0] in range(205, 260)
    assert np.isfinite(shortfall_e_values(np.full(300, -100.0), 0.05, variance)).all()


def test_interval_of_independent_scores_is_wider_than_students():
    scores = np.random.default_rng(3).normal(size=200)
    low, high = mean_interval(scores)
    students = t.interval(0.95, 199, scores.mean(), scores.std(ddof=1) / np.sqrt(200))
    assert low < students[0]
    assert students[1] < high
    assert (high - low) / (students[1] - students[0]) < 1.6


@pytest.mark.parametrize("freedom", [4, 10, 40])
def test_quantiles_are_those_of_students_distribution(freedom):
    assert confidence_sequences._student_quantile(0.975, freedom) == pytest.approx(t.ppf(0.975, freedom), rel=0.01)


def test_variance_counts_slow_movements():
    random = np.random.default_rng(4)
    slow = [long_run_variance(autoregression(random, 400, 0.7)) for _ in range(200)]
    assert np.mean(slow) == pytest.approx((1 + 0.7) / (1 - 0.7), rel=0.15)


def test_live_scores_that_vary_more_have_wider_bounds():
    random = np.random.default_rng(5)
    evaluated = random.normal(size=1_000)
    calm, wild = (running_variance(scale * random.normal(size=1_000), evaluated) for scale in (0.5, 3.0))
    assert set(calm) == {long_run_variance(evaluated)} == set(wild[:4])
    assert wild[-1] == pytest.approx(9.0 * long_run_variance(evaluated), rel=0.1)


def test_a_loss_of_skill_does_not_widen_the_bounds():
    scores = 0.1 * np.random.default_rng(6).normal(size=160)
    lost = scores[100:] - np.where(np.arange(60) < 30, 0.0, 1.0)
    assert running_variance(lost, scores[:100])[-1] < 3.0 * long_run_variance(scores[:100])


def autoregression(random: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """Values of variance 1."""
    shocks = random.normal(size=count) * np.sqrt(1 - correlation**2)
    values = np.empty(count)
    values[0] = random.normal()
    for at in range(1, count):
        values[at] = correlation * values[at - 1] + shocks[at]
    return values
