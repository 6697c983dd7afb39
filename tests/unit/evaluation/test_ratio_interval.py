"""Intervals of ratios: coverage where volatility persists over days, and periods that are too short for an interval."""

import numpy as np
import pytest

from benchmarks.score_intervals import FRAMES_PER_DAY, coverage, streams, true_r2
from coinfarm.evaluation.ratio_interval import DailyRatio, ratio_interval


@pytest.mark.parametrize(("persistence", "days"), [(0.7, 184), (0.9, 250)])
def test_intervals_of_r2_contain_the_true_value(persistence: float, days: int) -> None:
    """benchmarks/score_intervals.py has more streams and cells: it is 88 % or more."""
    for _, given, covered, width in coverage(persistence, days, 40, seed=3):
        assert given > 0.75
        assert covered >= 0.8
        assert width < 2.0


def test_blocks_of_hours_would_miss_most() -> None:
    """Otherwise the streams would not test what they are for."""
    random = np.random.default_rng(5)
    truth = 1 - true_r2()["rise"]
    missed = 0
    for _ in range(40):
        stream = streams(random, 0.9, 184)["rise"]
        errors = ((stream.actual - stream.predicted) ** 2).reshape(-1, FRAMES_PER_DAY // 6).sum(axis=1)
        squares = ((stream.actual - stream.actual.mean()) ** 2).reshape(-1, FRAMES_PER_DAY // 6).sum(axis=1)
        drawn = random.integers(len(errors), size=(400, len(errors)))
        low, high = np.quantile(errors[drawn].sum(axis=1) / squares[drawn].sum(axis=1), [0.05, 0.95])
        missed += not low < truth < high
    assert missed / 40 > 0.4


def test_the_true_r2_is_that_of_long_streams() -> None:
    for name, stream in streams(np.random.default_rng(1), 0.5, 20_000).items():
        found = 1 - ((stream.actual - stream.predicted) ** 2).mean() / stream.actual.var()
        assert found == pytest.approx(true_r2()[name], abs=0.02)


def test_persistent_days_have_fewer_effective_blocks_and_at_last_no_interval() -> None:
    persistent, ones = np.cumsum(np.random.default_rng(1).normal(size=60)), np.ones(60)
    independent = ratio_interval(DailyRatio.of_counts(np.random.default_rng(1).normal(size=60), ones))
    found = ratio_interval(DailyRatio.of_counts(persistent, ones))
    assert (independent.effective_blocks, independent.bounds is None) == (60, False)
    assert (found.effective_blocks < 10, found.bounds) == (True, None)


def test_squares_count_as_persistent_even_if_they_do_not_look_it() -> None:
    errors, squares = np.random.default_rng(1).chisquare(5, size=(2, 60))
    found = ratio_interval(DailyRatio(errors, squares, np.zeros(60), np.ones(60), is_of_squares=True, is_positive=True))
    assert found.effective_blocks == pytest.approx(20)
    assert found.bounds is not None
    assert 0 < found.bounds[0] < errors.sum() / squares.sum() < found.bounds[1]


def test_bounds_do_not_depend_on_the_units() -> None:
    errors, squares = np.random.default_rng(1).chisquare(5, size=(2, 60))
    bounds = [
        ratio_interval(DailyRatio(unit * errors, unit * squares, np.zeros(60), np.ones(60), is_of_squares=True, is_positive=True)).bounds
        for unit in (1.0, 1e-6, 1e6)
    ]
    np.testing.assert_allclose(bounds[1:], [bounds[0]] * 2)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_certain_ratio_has_an_interval_without_width(value: float) -> None:
    found = ratio_interval(DailyRatio.of_counts(np.full(40, 7.0 * value), np.full(40, 7.0)))
    assert found.bounds == (value, value)


def test_an_accuracy_is_never_more_than_everything() -> None:
    correct = np.full(20, 10.0)
    correct[3] = 7.0
    found = ratio_interval(DailyRatio.of_counts(correct, np.full(20, 10.0))).bounds
    assert found is not None
    assert found[1] <= 1.0
