"""The block bootstrap against a plain implementation and against theory."""

import numpy as np
import pytest

from coinfarm import bootstrap
from coinfarm.bootstrap import block_bootstrap_means, block_bootstrap_ratio, percentile_interval


def reference_means(values, block, samples, seed):
    """The textbook algorithm: one series after the other."""
    count = len(values)
    blocks = -(-count // block)
    random = np.random.default_rng(seed)
    draws = random.integers(count, size=(samples, blocks))
    return [values[np.concatenate([(start + np.arange(block)) % count for start in starts])[:count]].mean() for starts in draws]


@pytest.mark.parametrize(("count", "block"), [(10, 1), (10, 5), (11, 5), (100, 7), (60, 30)])
def test_means_equal_those_of_the_textbook_algorithm(count, block):
    values = np.random.default_rng(1).normal(size=count)
    found = block_bootstrap_means(values, block, samples=20, seed=3)
    assert found.shape == (20, 1)
    np.testing.assert_allclose(found[:, 0], reference_means(values, block, 20, seed=3), atol=1e-12)


def test_the_memory_limit_does_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(1).normal(size=(90, 2))
    unlimited = block_bootstrap_means(values, 10, samples=50)
    assert (block_bootstrap_means(values, 10, samples=50, seed=2) != unlimited).any()
    monkeypatch.setattr(bootstrap, "_MAX_BLOCKS_IN_MEMORY", 1)
    np.testing.assert_array_equal(block_bootstrap_means(values, 10, samples=50), unlimited)


def test_columns_are_resampled_together():
    values = np.random.default_rng(1).normal(size=200)
    draws = block_bootstrap_means(np.column_stack([values, 2 * values + 1]), 10, samples=30)
    np.testing.assert_allclose(draws[:, 1], 2 * draws[:, 0] + 1)


def test_a_mean_far_from_zero_stays_precise():
    values = 1e9 + np.tile([0.0, 1.0], 50_000)
    np.testing.assert_allclose(block_bootstrap_means(values, 2, samples=5) - 1e9, 0.5, atol=1e-6)


def test_blocks_give_the_standard_error_of_autocorrelated_values():
    """Each of 4,000 values is repeated 30 times: the error of the mean is that of 4,000 values, not of 120,000."""
    few = np.random.default_rng(1).normal(size=4_000)
    repeated = np.repeat(few, 30)
    single, in_blocks = (block_bootstrap_means(repeated, block, samples=1_000).std() for block in (1, 150))
    assert in_blocks == pytest.approx(few.std() / np.sqrt(4_000), rel=0.15)
    assert single < in_blocks / 4


def test_a_ratio_is_one_of_sums_not_a_mean_of_ratios():
    counts = np.tile([1.0, 0.0, 3.0], 100)
    np.testing.assert_allclose(block_bootstrap_ratio(0.25 * counts, counts, 3, samples=20), 0.25)


def test_a_ratio_to_zero_is_nan():
    ratios = block_bootstrap_ratio(np.zeros(10), np.zeros(10), 2, samples=5)
    assert np.isnan(ratios).all()
    assert np.isnan(percentile_interval(ratios)).all()


def test_the_interval_contains_the_requested_share_of_the_draws():
    draws = np.arange(101.0)
    assert percentile_interval(draws) == pytest.approx((5, 95))
    assert percentile_interval(np.append(draws, np.nan), level=0.5) == pytest.approx((25, 75))


@pytest.mark.parametrize(
    ("values", "block", "named"),
    [([], 1, "^0 .* 1$"), ([1.0, 2.0, 3.0], 2, "^3 .* 2$"), ([1.0, 2.0], 0, "^2 .* 0$"), ([1.0, np.nan, 2.0], 1, "finite")],
    ids=["none", "fewer than two blocks", "empty blocks", "not finite"],
)
def test_rejects_invalid_values(values, block, named):
    with pytest.raises(ValueError, match=named):
        block_bootstrap_means(values, block)
