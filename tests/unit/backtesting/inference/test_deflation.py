"""The deflated Sharpe ratio, compared with the example in its paper and with simulations."""

from math import sqrt

import numpy as np
import pytest

from coinfarm.backtesting.inference.deflation import (
    deflated_sharpe_probability,
    effective_trials,
    expected_maximum,
    probability_above,
    sharpe_ratio,
)


def test_equals_the_example_of_the_paper() -> None:
    """Bailey and López de Prado 2014, "A numerical example": 2.5 a year over five years of days, the best of 100 tries."""
    best_by_luck = expected_maximum(0.5 / 250, 100)
    assert best_by_luck == pytest.approx(0.1132, abs=5e-5)
    assert probability_above(2.5 / sqrt(250), best_by_luck, 1_250, -3.0, 10.0) == pytest.approx(0.9004, abs=5e-5)


def test_more_independent_trials_lower_the_probability_and_copies_do_not() -> None:
    trials = np.random.default_rng(1).normal(0.02, 1.0, (300, 400))
    alone, of_ten, of_all = (deflated_sharpe_probability(trials[:, :count]) for count in (1, 10, 400))
    assert alone > of_ten > of_all
    assert deflated_sharpe_probability(trials[:, [0] * 10]) == pytest.approx(alone)


def test_trials_with_high_costs_do_not_raise_the_hurdle() -> None:
    trials = np.random.default_rng(1).normal(0.1, 1.0, (300, 10))
    assert deflated_sharpe_probability(trials - np.arange(10)) == pytest.approx(deflated_sharpe_probability(trials))


def test_counts_correlated_trials_by_what_they_are_worth() -> None:
    common = np.random.default_rng(2).normal(size=(2_000, 1))
    own = np.random.default_rng(3).normal(size=(2_000, 40))
    assert effective_trials(own) == pytest.approx(40, abs=1)
    assert effective_trials(np.sqrt(0.8) * common + np.sqrt(0.2) * own) == pytest.approx(1 + 0.2 * 39, rel=0.1)


def test_the_expected_maximum_equals_that_of_simulated_ratios() -> None:
    largest = np.random.default_rng(3).normal(0.0, 0.2, (20_000, 50)).max(axis=1)
    assert expected_maximum(0.2**2, 50) == pytest.approx(largest.mean(), rel=0.02)


@pytest.mark.parametrize("returns", [[], [0.1, 0.2], [0.0, 0.0, 0.0, 0.0]], ids=["none", "two", "constant"])
def test_is_nan_for_few_or_constant_returns(returns: list[float]) -> None:
    assert np.isnan(deflated_sharpe_probability(np.array(returns)[:, None]))


def test_one_trial_has_no_hurdle_and_constant_returns_no_ratio() -> None:
    assert expected_maximum(0.04, 1.0) == 0.0
    assert np.isnan(sharpe_ratio(np.full(10, 0.1)))
