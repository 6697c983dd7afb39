"""Boosted trees: what they find that a linear model misses, and what they do not find in noise."""

from dataclasses import replace

import numpy as np
import pytest

from coinfarm.evaluation import boosted_trees
from coinfarm.evaluation.baselines import RidgeRegression
from coinfarm.evaluation.boosted_trees import BoostedTrees
from coinfarm.evaluation.features import FEATURE_NAMES, Observations
from coinfarm.evaluation.metrics import r2

MINUTE_MS = 60_000
OVERLAP_MS = 230 * MINUTE_MS
STRIDE = 10


def observations(count: int, seed: int) -> Observations:
    """The rise depends on the product of two features, the decline on one of them, the end change on nothing."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, len(FEATURE_NAMES)))
    signal = np.column_stack([features[:, 0] * features[:, 1], features[:, 2], np.zeros(count)])
    close_time = np.arange(count) * STRIDE * MINUTE_MS
    return Observations(np.full(count, "DEMO"), close_time, features, *np.zeros((2, count, 3)), signal + random.normal(size=(count, 3)))


@pytest.fixture(scope="module")
def training() -> Observations:
    return observations(4_000, seed=1)


@pytest.fixture(scope="module")
def trees(training: Observations) -> BoostedTrees:
    return BoostedTrees.fit(training, OVERLAP_MS)


def test_they_find_a_relation_that_ridge_misses(training: Observations, trees: BoostedTrees) -> None:
    unseen = observations(3_000, seed=2)
    ridge = RidgeRegression.fit(training.features, training.actual_pct).predict(unseen.features)
    found = trees.predict(unseen.features)
    rise, linear_rise = r2(found[:, 0], unseen.actual_pct[:, 0]), r2(ridge[:, 0], unseen.actual_pct[:, 0])
    assert rise is not None
    assert linear_rise is not None
    assert (rise > 0.3, linear_rise < 0.02) == (True, True)
    decline = r2(found[:, 1], unseen.actual_pct[:, 1])
    assert decline is not None
    assert decline > 0.4


def test_noise_is_predicted_by_almost_a_constant(trees: BoostedTrees) -> None:
    unseen = observations(3_000, seed=2)
    assert trees.predict(unseen.features)[:, 2].std() < 0.1


def test_they_are_the_same_each_time_and_in_any_order_of_coins(training: Observations, trees: BoostedTrees) -> None:
    again = BoostedTrees.fit(training, OVERLAP_MS)
    np.testing.assert_array_equal(again.predict(training.features), trees.predict(training.features))
    swapped = np.random.default_rng(0).permutation(len(training))
    shuffled = Observations(*(getattr(training, name)[swapped] for name in Observations.__dataclass_fields__))
    np.testing.assert_array_equal(BoostedTrees.fit(shuffled, OVERLAP_MS).predict(training.features), trees.predict(training.features))


def test_the_number_of_trees_is_chosen_on_later_windows(training: Observations) -> None:
    """A relation of the first windows only is not used, because it does not hold in the last fifth."""
    early = np.arange(len(training)) < 0.7 * len(training)
    target = np.where(early, training.features[:, 3], -training.features[:, 3])
    broken = BoostedTrees.fit(replace(training, actual_pct=np.repeat(target[:, None], 3, axis=1)), OVERLAP_MS)
    assert broken.models == (None, None, None)
    np.testing.assert_allclose(broken.predict(training.features), target.mean())


def test_a_bounded_number_of_windows_is_used(training: Observations, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    monkeypatch.setattr(boosted_trees, "MAX_ROWS", 2_000)
    monkeypatch.setattr(boosted_trees, "_fit", lambda features, *_: used.append(len(features)))
    BoostedTrees.fit(training, OVERLAP_MS)
    assert used == [2_000] * 3


def test_few_windows_are_predicted_by_their_mean() -> None:
    few = observations(300, seed=1)
    np.testing.assert_allclose(BoostedTrees.fit(few, OVERLAP_MS).predict(few.features), np.tile(few.actual_pct.mean(axis=0), (300, 1)))
