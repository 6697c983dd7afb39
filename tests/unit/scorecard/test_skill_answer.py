from datetime import date

import numpy as np
import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.block_skill import BlockSkill
from coinfarm.models.live_reference import SkillRecord
from coinfarm.scorecard.scorecard_document import SkillTest
from coinfarm.scorecard.sequential_comparison import MIN_LOSS
from coinfarm.scorecard.skill_answer import skill_test
from tests.support.live_predictions import MULTIPLES, skill_record

FIRST_DAY = 18_262  # 2020-01-01
RANDOM = np.random.default_rng(1)
EVALUATED = 0.06 + 0.03 * RANDOM.normal(size=120)


def answer_to(scores: np.ndarray, days: float | None = None, record: SkillRecord | None = None, symbol: str = "DEMO1") -> SkillTest:
    """The test of daily scores; `days` after the first one, with their last outcome, have passed."""
    live = BlockSkill(1, FIRST_DAY, {symbol: scores})
    passed = len(scores) if days is None else days
    horizon_ms = 30 * 60_000
    return skill_test(live, record or skill_record(EVALUATED), 60_000, 30, int((FIRST_DAY + passed) * DAY_MS + horizon_ms))


def test_a_model_that_is_as_evaluated_is_recognised():
    test = answer_to(0.06 + 0.03 * RANDOM.normal(size=60))
    assert (test.answer, test.decided_on) == ("as evaluated", None)
    assert test.interval[0] > test.least_mean == pytest.approx(test.evaluated_interval[1] / 2, abs=1e-5)
    assert len(test.blocks) == 60
    assert test.blocks[0].first_day == date(2020, 1, 1)
    assert (test.blocks[-1].mean, test.blocks[-1].low) == (test.mean, test.interval[0])


def test_a_model_that_lost_its_skill_is_worse_for_good():
    lost = np.append(0.06 + 0.03 * RANDOM.normal(size=60), 0.03 * RANDOM.normal(size=40))
    test = answer_to(lost)
    assert test.answer == "worse than evaluated"
    assert date(2020, 3, 1) < test.decided_on < date(2020, 4, 10)
    recovered = answer_to(np.append(lost, np.full(400, 0.06)))
    assert (recovered.answer, recovered.decided_on) == ("worse than evaluated", test.decided_on)


def test_wild_days_of_a_broken_model_are_found_but_one_decides_nothing():
    good = 0.06 + 0.03 * RANDOM.normal(size=20)
    assert answer_to(np.append(good, -0.9)).answer != "worse than evaluated"
    test = answer_to(np.concatenate([good, [-0.9, 0.0, -0.1, -0.5, -0.2, -0.9, -0.3, -0.4]]))
    assert test.answer == "worse than evaluated"
    assert test.decided_on < date(2020, 1, 29)


def test_a_few_days_are_too_early():
    test = answer_to(np.array([0.05, 0.07]))
    assert test.answer == "too early to tell"
    assert 5 < test.blocks_needed < 60


def test_days_count_once_their_last_outcome_is_known():
    scores = np.array([0.05, np.nan, 0.07, 0.1])
    assert [len(answer_to(scores, days).blocks) for days in (0.99, 1, 2.99, 3, 4)] == [0, 1, 1, 2, 3]
    assert answer_to(scores, 0.5).mean is None


def test_long_horizons_have_blocks_of_days():
    live = BlockSkill(2, FIRST_DAY // 2, {"DEMO1": np.full(3, 0.05)})
    record = skill_record(EVALUATED).model_copy(update={"block_days": 2})
    test = skill_test(live, record, 3_600_000, 30, (FIRST_DAY + 8) * DAY_MS)
    assert "3 blocks of 2 days" in test.reason
    assert [block.first_day.day for block in test.blocks] == [1, 3, 5]
    assert "block of 2 days is complete" in skill_test(live, record, 3_600_000, 30, FIRST_DAY * DAY_MS).reason


def test_is_compared_with_the_evaluation_of_the_same_coins():
    strong, weak = tuple(np.full(50, 0.2)), tuple(np.full(50, 0.1))
    record = SkillRecord(block_days=1, first_block=0, range_multiples=MULTIPLES, by_coin={"BTCUSDT": strong, "ETHUSDT": weak})
    assert answer_to(EVALUATED, record=record, symbol="BTCUSD").evaluated_mean == pytest.approx(0.2)
    assert answer_to(EVALUATED, record=record, symbol="DOGEUSDT").evaluated_mean == pytest.approx(0.15)


def test_a_model_without_skill_can_lose_some_too():
    test = answer_to(np.full(10, 0.0), record=skill_record(0.01 * RANDOM.normal(size=50)))
    assert test.evaluated_interval[1] - test.least_mean == pytest.approx(MIN_LOSS)


def test_a_short_evaluation_cannot_be_compared_with():
    test = answer_to(EVALUATED, record=skill_record(EVALUATED[:9]))
    assert (test.answer, test.evaluated_mean) == ("too early to tell", None)
