"""The deflated Sharpe ratio, against the example in the paper that it comes from."""

from math import sqrt

import numpy as np
import pytest

from coinfarm.backtest.deflation import deflated_sharpe_probability, expected_best, expected_maximum, probability_above, sharpe_ratio


def test_the_example_of_the_paper() -> None:
    """Bailey and López de Prado 2014, "A numerical example": 2.5 a year over five years of days, the best of 100 tries."""
    best_by_luck = expected_maximum(0.5 / 250, 100)
    assert best_by_luck == pytest.approx(0.1132, abs=5e-5)
    assert probability_above(2.5 / sqrt(250), best_by_luck, 1_250, -3.0, 10.0) == pytest.approx(0.9004, abs=5e-5)


def test_one_try_is_measured_against_nothing() -> None:
    assert expected_best([0.3]) == 0.0


def test_what_is_worth_nothing_seems_the_better_the_more_is_tried() -> None:
    returns = np.random.default_rng(1).normal(0.02, 1.0, 300)
    ratios = np.random.default_rng(2).normal(0.0, 0.1, 400).tolist()
    alone, of_ten, of_all = (deflated_sharpe_probability(returns, ratios[:count]) for count in (1, 10, 400))
    assert alone > of_ten > of_all


def test_chance_of_the_best_of_many_is_as_large_as_the_theorem_says() -> None:
    """The mean of the largest of 50 normals, drawn often."""
    largest = np.random.default_rng(3).normal(0.0, 0.2, (20_000, 50)).max(axis=1)
    assert expected_maximum(0.2**2, 50) == pytest.approx(largest.mean(), rel=0.02)


@pytest.mark.parametrize("returns", [[], [0.1, 0.2], [0.0, 0.0, 0.0, 0.0]], ids=["none", "two", "all alike"])
def test_too_few_or_constant_returns_tell_nothing(returns: list[float]) -> None:
    assert np.isnan(deflated_sharpe_probability(np.array(returns), [0.1]))


def test_the_ratio_of_constant_returns_is_zero() -> None:
    assert sharpe_ratio(np.full(10, 0.01)) == 0.0
