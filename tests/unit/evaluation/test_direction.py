import numpy as np
import pytest

from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, direction_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.features import FEATURE_NAMES, Observations
from coinfarm.evaluation.score_intervals import ScoreIntervals

HOUR_MS = 3_600_000
COUNT = 8_000


@pytest.fixture(scope="module")
def observations() -> Observations:
    """Two coins, a frame an hour each, whose volatility grows from the first frame to the last."""
    close_time = np.tile((1 + np.arange(COUNT // 2)) * HOUR_MS - 1, 2)
    features = np.zeros((COUNT, len(FEATURE_NAMES)))
    features[:, FEATURE_NAMES.index("volatility")] = np.arange(COUNT)
    nothing = np.zeros((COUNT, 3))
    return Observations(np.repeat(["ONE", "TWO"], COUNT // 2), close_time, features, nothing, nothing, nothing)


@pytest.fixture(scope="module")
def intervals(observations: Observations) -> ScoreIntervals:
    return ScoreIntervals.of(observations.close_time, HOUR_MS, 30)


def test_direction_is_the_sign_of_the_end_change() -> None:
    values = np.array([[1.0, -2.0, 0.5], [-0.1, -0.3, -0.2], [2.0, -1.0, 0.0], [1.0, -1.0, 3.0]])
    assert end_change(values).tolist() == [0.5, -0.2, 0.0, 3.0]
    assert np.sign(rise_over_decline(values)).tolist() == [-1, -1, 1, 0]


def test_signs_count_if_the_price_moved_and_are_correct_if_predicted() -> None:
    signs = SignComparison.of(predicted=np.array([1.0, -1.0, 0.0, 1.0, 1.0]), actual=np.array([2.0, 3.0, 1.0, 0.0, -1.0]))
    assert signs.counted.tolist() == [True, True, True, False, True]
    assert signs.correct.tolist() == [True, False, False, False, False]
    assert signs.predicted.tolist() == [True, True, False, False, True]


def test_parts_add_up_to_the_total(observations: Observations, intervals: ScoreIntervals) -> None:
    random = np.random.default_rng(1)
    predicted, actual = random.normal(size=(2, COUNT))
    found = direction_accuracy(predicted, actual, observations, intervals)
    assert found.overall.frames == COUNT
    for parts in (found.by_coin, found.by_month, found.by_hour, found.by_volatility):
        assert sum(accuracy.frames for accuracy in parts.values()) == COUNT
        mean_pct = sum(accuracy.frames * (accuracy.right_pct or 0) for accuracy in parts.values()) / COUNT
        assert mean_pct == pytest.approx(found.overall.right_pct, abs=1e-3)
    assert list(found.by_coin) == ["ONE", "TWO"]
    assert list(found.by_month)[:2] == ["1970-01", "1970-02"]
    assert list(found.by_hour) == [f"{hour:02}" for hour in range(24)]
    assert list(found.by_volatility) == ["low", "middle", "high"]


def test_a_part_has_the_accuracy_of_its_own_frames(observations: Observations, intervals: ScoreIntervals) -> None:
    """Correct for one coin only, at three o'clock only, or in the calmest third only."""
    actual = np.ones(COUNT)
    for name, correct, parts in (
        ("ONE", observations.symbols == "ONE", "by_coin"),
        ("03", (observations.close_time + 1) // HOUR_MS % 24 == 3, "by_hour"),
        ("low", np.arange(COUNT) < COUNT / 3, "by_volatility"),
    ):
        accuracies = getattr(direction_accuracy(np.where(correct, 1.0, -1.0), actual, observations, intervals), parts)
        assert {part for part, accuracy in accuracies.items() if accuracy.right_pct == 100} == {name}
        assert {accuracy.right_pct for part, accuracy in accuracies.items() if part != name} == {0}


def test_the_strongest_are_the_5_percent_with_the_largest_predictions(observations: Observations, intervals: ScoreIntervals) -> None:
    predicted = np.where(np.arange(COUNT) % 2, 1.0, -1.0) * (1 + np.arange(COUNT))
    strongest = np.arange(COUNT) >= 0.95 * COUNT
    found = direction_accuracy(predicted, np.where(strongest, predicted, -predicted), observations, intervals)
    assert (found.strongest.frames, found.strongest.right_pct) == (COUNT // 20, 100.0)
    assert found.overall.right_pct == 5.0


def test_no_prediction_or_no_move_has_no_accuracy(observations: Observations, intervals: ScoreIntervals) -> None:
    unpredicted = direction_accuracy(np.zeros(COUNT), np.ones(COUNT), observations, intervals)
    assert (unpredicted.overall.right_pct, unpredicted.overall.interval_pct) == (None, None)
    unmoved = direction_accuracy(np.ones(COUNT), np.zeros(COUNT), observations, intervals)
    assert (unmoved.overall.frames, unmoved.overall.right_pct) == (0, None)
    ones = np.ones(COUNT)
    baseline = baseline_accuracy(SignComparison.of(ones, ones), SignComparison.of(np.zeros(COUNT), ones), intervals)
    assert (baseline.right_pct, baseline.model_lead_pct, baseline.model_lead_interval_pct) == (None, None, None)


def test_the_difference_to_a_baseline_is_measured_frame_by_frame(intervals: ScoreIntervals) -> None:
    """Model and baseline are wrong on the same frames, so the difference has a narrower interval than either accuracy."""
    random = np.random.default_rng(1)
    actual = np.repeat(random.choice([-1.0, 1.0], size=COUNT // 80), 80)
    baseline = np.ones(COUNT)
    model = np.where(random.random(COUNT) < 0.1, actual, baseline)
    found = baseline_accuracy(SignComparison.of(model, actual), SignComparison.of(baseline, actual), intervals)
    assert found.model_lead_pct == pytest.approx(5, abs=1.5)
    assert found.model_lead_interval_pct is not None
    assert found.interval_pct is not None
    width = found.model_lead_interval_pct[1] - found.model_lead_interval_pct[0]
    assert 0 < width < (found.interval_pct[1] - found.interval_pct[0]) / 3
