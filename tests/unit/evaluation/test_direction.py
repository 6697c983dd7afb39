"""Which way it will go: calls that are right, wrong, not made, and not called for."""

import numpy as np
import pytest

from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, direction_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.features import FEATURE_NAMES, Observations
from coinfarm.evaluation.score_intervals import BlockBootstrap

HOUR_MS = 3_600_000
COUNT = 8_000


@pytest.fixture(scope="module")
def rows() -> Observations:
    """Two coins, a frame an hour each, whose volatility grows from the first frame to the last."""
    close_time = np.tile((1 + np.arange(COUNT // 2)) * HOUR_MS - 1, 2)
    features = np.zeros((COUNT, len(FEATURE_NAMES)))
    features[:, FEATURE_NAMES.index("volatility")] = np.arange(COUNT)
    nothing = np.zeros((COUNT, 3))
    return Observations(np.repeat(["ONE", "TWO"], COUNT // 2), close_time, features, nothing, nothing)


@pytest.fixture(scope="module")
def chance(rows: Observations) -> BlockBootstrap:
    return BlockBootstrap.of(rows.close_time, HOUR_MS, 1, 30)


def test_the_direction_is_the_sign_of_the_end_change_and_the_other_call_compares_sizes() -> None:
    values = np.array([[1.0, -2.0, 0.5], [-0.1, -0.3, -0.2], [2.0, -1.0, 0.0], [1.0, -1.0, 3.0]])
    assert end_change(values).tolist() == [0.5, -0.2, 0.0, 3.0]
    assert np.sign(rise_over_decline(values)).tolist() == [-1, -1, 1, 0]


def test_only_what_happened_can_be_called_and_only_what_was_told_is_right() -> None:
    outcome = SignComparison.of(predicted=np.array([1.0, -1.0, 0.0, 1.0, 1.0]), actual=np.array([2.0, 3.0, 1.0, 0.0, -1.0]))
    assert outcome.counted.tolist() == [True, True, True, False, True]
    assert outcome.right.tolist() == [True, False, False, False, False]
    assert outcome.told.tolist() == [True, True, False, False, True]


def test_parts_add_up_to_the_whole(rows: Observations, chance: BlockBootstrap) -> None:
    random = np.random.default_rng(1)
    predicted, actual = random.normal(size=(2, COUNT))
    found = direction_accuracy(predicted, actual, rows, chance)
    assert found.overall.frames == COUNT
    for parts in (found.by_coin, found.by_month, found.by_hour, found.by_volatility):
        assert sum(share.frames for share in parts.values()) == COUNT
        right = sum(share.frames * (share.right_pct or 0) for share in parts.values()) / COUNT
        assert right == pytest.approx(found.overall.right_pct, abs=1e-3)
    assert list(found.by_coin) == ["ONE", "TWO"]
    assert list(found.by_month)[:2] == ["1970-01", "1970-02"]
    assert list(found.by_hour) == [f"{hour:02}" for hour in range(24)]
    assert list(found.by_volatility) == ["low", "middle", "high"]


def test_a_part_is_judged_by_its_own_frames(rows: Observations, chance: BlockBootstrap) -> None:
    """Right for one coin alone, at three in the morning alone, and in the calmest third alone."""
    actual = np.ones(COUNT)
    for name, chosen, parts in (
        ("ONE", rows.symbols == "ONE", "by_coin"),
        ("03", (rows.close_time + 1) // HOUR_MS % 24 == 3, "by_hour"),
        ("low", np.arange(COUNT) < COUNT / 3, "by_volatility"),
    ):
        shares = getattr(direction_accuracy(np.where(chosen, 1.0, -1.0), actual, rows, chance), parts)
        assert {part for part, share in shares.items() if share.right_pct == 100} == {name}
        assert {share.right_pct for part, share in shares.items() if part != name} == {0}


def test_the_strongest_are_the_twentieth_with_the_largest_predictions_of_either_sign(rows: Observations, chance: BlockBootstrap) -> None:
    predicted = np.where(np.arange(COUNT) % 2, 1.0, -1.0) * (1 + np.arange(COUNT))
    strongest = np.arange(COUNT) >= 0.95 * COUNT
    found = direction_accuracy(predicted, np.where(strongest, predicted, -predicted), rows, chance)
    assert (found.strongest.frames, found.strongest.right_pct) == (COUNT // 20, 100.0)
    assert found.overall.right_pct == 5.0


def test_who_tells_nothing_is_neither_right_nor_wrong(rows: Observations, chance: BlockBootstrap) -> None:
    silent = direction_accuracy(np.zeros(COUNT), np.ones(COUNT), rows, chance)
    assert (silent.overall.right_pct, silent.overall.interval_pct) == (None, None)
    still = direction_accuracy(np.ones(COUNT), np.zeros(COUNT), rows, chance)
    assert (still.overall.frames, still.overall.right_pct) == (0, None)


def test_a_lead_is_measured_frame_by_frame(chance: BlockBootstrap) -> None:
    """Model and baseline err together, so that the lead is surer than either share."""
    random = np.random.default_rng(1)
    actual = np.repeat(random.choice([-1.0, 1.0], size=COUNT // 80), 80)
    baseline = np.ones(COUNT)
    model = np.where(random.random(COUNT) < 0.1, actual, baseline)
    found = baseline_accuracy(SignComparison.of(model, actual), SignComparison.of(baseline, actual), chance)
    assert found.model_lead_pct == pytest.approx(5, abs=1.5)
    assert found.model_lead_interval_pct is not None
    assert found.interval_pct is not None
    width = found.model_lead_interval_pct[1] - found.model_lead_interval_pct[0]
    assert 0 < width < (found.interval_pct[1] - found.interval_pct[0]) / 3


def test_beside_a_baseline_that_tells_nothing_there_is_no_lead(chance: BlockBootstrap) -> None:
    ones = np.ones(COUNT)
    found = baseline_accuracy(SignComparison.of(ones, ones), SignComparison.of(np.zeros(COUNT), ones), chance)
    assert (found.right_pct, found.model_lead_pct, found.model_lead_interval_pct) == (None, None, None)
