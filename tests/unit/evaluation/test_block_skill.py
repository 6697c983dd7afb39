import numpy as np
import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.block_skill import BlockSkill, block_days_of, block_skill, range_multiples
from coinfarm.evaluation.features import Observations

STEP_MS = 900_000
PER_DAY = 96
FIRST_DAY = 18_000
RANDOM = np.random.default_rng(1)


def observed(symbols: list[str], days: int) -> Observations:
    """Windows of every candle of these days."""
    count = days * PER_DAY
    features = np.ones((count * len(symbols), 9))
    features[:, 5] = RANDOM.uniform(0.5, 3.0, count * len(symbols))
    close_time = FIRST_DAY * DAY_MS + (1 + np.arange(count)) * STEP_MS - 1
    actual = RANDOM.normal(size=(len(features), 3)) * features[:, 5:6]
    return Observations(np.repeat(symbols, count), np.tile(close_time, len(symbols)), features, np.ones((len(features), 3)), actual, actual)


@pytest.mark.parametrize(
    ("interval_ms", "horizon", "days"), [(60_000, 30, 1), (3_600_000, 24, 1), (3_600_000, 30, 2), (86_400_000, 30, 30)]
)
def test_a_block_is_as_long_as_the_horizon(interval_ms, horizon, days):
    assert block_days_of(interval_ms, horizon) == days


def test_scores_compare_errors_in_units_of_the_range():
    observations = observed(["A", "B"], 3)
    predicted = 0.2 * observations.actual_pct
    multiples = range_multiples(observations)
    found = block_skill(observations, predicted, multiples, STEP_MS, 30)
    assert (found.block_days, found.first_block, found.day_of(1)) == (1, FIRST_DAY, FIRST_DAY + 1)
    for day in range(3):
        expected = []
        for symbol in ("A", "B"):
            here = (observations.symbols == symbol) & (observations.close_time // DAY_MS == FIRST_DAY + day)
            by_output = []
            for at in range(3):
                model = baseline = 0.0
                for actual, guess, span in zip(observations.actual_pct[here], predicted[here], observations.range_pct[here], strict=True):
                    model += ((actual[at] - guess[at]) / span) ** 2
                    baseline += (actual[at] / span - multiples[at]) ** 2
                by_output.append((baseline - model) / (baseline + model))
            expected.append(np.mean(by_output))
            assert found.by_coin[symbol][day] == pytest.approx(expected[-1])
        assert found.scores[day] == pytest.approx(np.mean(expected))


def test_the_baseline_scores_zero_and_the_truth_one():
    observations = observed(["A"], 2)
    multiples = np.array([0.2, -0.2, 0.0])
    assert block_skill(observations, observations.range_pct[:, None] * multiples, multiples, STEP_MS, 30).scores == pytest.approx([0, 0])
    assert block_skill(observations, observations.actual_pct, multiples, STEP_MS, 30).scores.tolist() == [1, 1]


@pytest.mark.parametrize("stride", [1, 10])
def test_a_block_with_few_windows_has_no_score(stride):
    observations = observed(["A"], 2)
    rows = np.arange(len(observations))
    chosen = observations.rows((rows % stride == 0) & ((rows < 40) | (rows >= 96 + 40)))
    scores = block_skill(chosen, chosen.actual_pct, np.zeros(3), STEP_MS, 30, stride).scores
    assert np.isnan(scores).tolist() == [True, False]


def test_a_coin_without_a_score_does_not_count():
    skill = BlockSkill(1, 0, {"A": np.array([0.2, np.nan, np.nan]), "B": np.array([0.4, 0.6, np.nan])})
    np.testing.assert_allclose(skill.scores, [0.3, 0.6, np.nan])


def test_a_price_that_does_not_move_scores_zero():
    observations = observed(["A"], 1)
    observations.features[:] = observations.actual_pct[:] = 0.0
    assert block_skill(observations, observations.actual_pct, np.zeros(3), STEP_MS, 30).scores.tolist() == [0]
