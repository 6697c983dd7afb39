"""The probability of backtest overfitting."""

from itertools import combinations

import numpy as np
import pytest

from coinfarm.backtesting.inference.overfitting import overfitting_probability


def test_equals_a_slow_implementation() -> None:
    returns = np.random.default_rng(3).normal(size=(40, 7))
    parts = np.split(returns, 8)
    below = []
    for chosen in combinations(range(8), 4):
        inside = np.vstack([parts[at] for at in chosen])
        outside = np.vstack([parts[at] for at in range(8) if at not in chosen])
        ratios = outside.mean(axis=0) / outside.std(axis=0)
        below.append((ratios < ratios[np.argmax(inside.mean(axis=0) / inside.std(axis=0))]).sum() < 3.0)
        if (ratios < ratios[np.argmax(inside.mean(axis=0) / inside.std(axis=0))]).sum() == 3:
            below[-1] = 0.5
    assert overfitting_probability(returns) == pytest.approx(np.mean(below))


def test_is_one_half_without_skill_and_zero_for_one_good_variant() -> None:
    noise = [overfitting_probability(np.random.default_rng(seed).normal(size=(92, 20))) for seed in range(40)]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.1)
    skilled = np.random.default_rng(1).normal(size=(92, 20))
    skilled[:, 3] += 1.0
    assert overfitting_probability(skilled) < 0.01


@pytest.mark.parametrize("shape", [(92, 1), (19, 5), (0, 5)])
def test_is_nan_for_one_variant_or_few_days(shape: tuple[int, int]) -> None:
    assert np.isnan(overfitting_probability(np.zeros(shape)))


def test_variants_that_never_trade_are_average() -> None:
    assert overfitting_probability(np.zeros((40, 6))) == 0.5
