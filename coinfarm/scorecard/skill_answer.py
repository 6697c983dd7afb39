"""Is the model as good as evaluated? The sequential test of its live skill, and the answer in words."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.symbol import same_coin
from coinfarm.evaluation.block_skill import BlockSkill, block_days_of
from coinfarm.evaluation.metrics import rounded
from coinfarm.models.live_reference import SkillRecord
from coinfarm.reports.formatting import plural_text, score_text
from coinfarm.scorecard.confidence_sequences import ALARM_E_VALUE, MIN_BLOCKS
from coinfarm.scorecard.scorecard_document import SkillBlock, SkillTest
from coinfarm.scorecard.sequential_comparison import SequentialComparison

_EPOCH = date(1970, 1, 1)


def untested(reason: str, interval_ms: int, horizon_candles: int) -> SkillTest:
    """The answer where nothing can be tested yet."""
    days = block_days_of(interval_ms, horizon_candles)
    return SkillTest(answer="too early to tell", reason=reason, block_days=days, alarm_e_value=ALARM_E_VALUE)


def evaluated_scores(record: SkillRecord, symbols: tuple[str, ...]) -> Values:
    """The evaluated scores by block, `(n,)`, of the live coins alone if all of them were evaluated."""
    matching = [name for name in record.by_coin if any(same_coin(name, symbol) for symbol in symbols)]
    is_complete = all(any(same_coin(name, symbol) for name in matching) for symbol in symbols)
    names = matching if is_complete else list(record.by_coin)
    skill = BlockSkill.from_record(record)
    scores = replace(skill, by_coin={name: skill.by_coin[name] for name in names}).scores
    return scores[np.isfinite(scores)]


def skill_test(live: BlockSkill, record: SkillRecord, interval_ms: int, horizon_candles: int, now_ms: int) -> SkillTest:
    """The test of the live scores against those of the evaluation. A block counts once the outcomes of all its windows are known."""
    evaluated = evaluated_scores(record, tuple(live.by_coin))
    if len(evaluated) < MIN_BLOCKS:
        reason = f"The evaluation has {plural_text(len(evaluated), 'block')} of days; a comparison needs at least {MIN_BLOCKS}."
        return untested(reason, interval_ms, horizon_candles)
    numbers, scores = _complete(live, now_ms - interval_ms * horizon_candles)
    found = SequentialComparison.of(evaluated, scores)
    days = [_EPOCH + timedelta(days=live.day_of(number)) for number in numbers.tolist()]
    blocks = tuple(
        SkillBlock(first_day=day, score=rounded(score), mean=rounded(mean), low=rounded(low), high=rounded(high))
        for day, score, mean, low, high in zip(days, scores, found.means, found.lows, found.highs, strict=True)
    )
    low, high = found.evaluated_interval
    test = SkillTest(
        answer="too early to tell",
        reason="",
        block_days=live.block_days,
        blocks=blocks,
        mean=blocks[-1].mean if blocks else None,
        interval=(blocks[-1].low, blocks[-1].high) if blocks else None,
        evaluated_mean=rounded(found.evaluated_mean),
        evaluated_interval=(rounded(low), rounded(high)),
        evaluated_blocks=len(evaluated),
        least_mean=rounded(found.least_mean),
        e_value=float(f"{found.e_values[-1]:.3g}") if blocks else None,
        alarm_e_value=ALARM_E_VALUE,
        decided_on=None if found.first_alarm is None else days[found.first_alarm] + timedelta(days=live.block_days),
        blocks_needed=found.blocks_needed,
    )
    return _answered(test, is_as_evaluated=bool(blocks) and bool(found.is_as_evaluated[-1]))


def _complete(live: BlockSkill, known_until_ms: int) -> tuple[NDArray[np.int64], Values]:
    """The numbers and scores of the blocks whose windows all close, with their horizon, before the time that is known."""
    scores = live.scores
    stop_ms = np.array([(live.day_of(number) + live.block_days) * DAY_MS for number in range(len(scores))])
    numbers = np.flatnonzero(np.isfinite(scores) & (stop_ms <= known_until_ms)).astype(np.int64)
    return numbers, scores[numbers]


def _answered(test: SkillTest, *, is_as_evaluated: bool) -> SkillTest:
    if test.mean is None or test.interval is None:
        return test.model_copy(update={"reason": f"No {_blocks_text(1, test.block_days)[2:]} is complete yet.{_waiting(test)}"})
    mean, evaluated_mean = score_text(test.mean), score_text(test.evaluated_mean)
    found = f"The mean skill of {_blocks_text(len(test.blocks), test.block_days)} is {mean}, evaluated {evaluated_mean}"
    if test.decided_on is not None:
        reason = f"{found}: on {test.decided_on} it was certain that the live skill is lower, then or since some earlier day."
        return test.model_copy(update={"answer": "worse than evaluated", "reason": reason})
    if is_as_evaluated:
        reason = f"{found}: it is certain that the live skill is above {score_text(test.least_mean)}, so no relevant part of it is lost."
        return test.model_copy(update={"answer": "as evaluated", "reason": reason})
    bounds = f"between {score_text(test.interval[0])} and {score_text(test.interval[1])}"
    return test.model_copy(update={"reason": f"{found}: all that is certain is that it is {bounds}.{_waiting(test)}"})


def _blocks_text(count: int, block_days: int) -> str:
    """`3 days`, or `3 blocks of 2 days`."""
    return plural_text(count, "day") if block_days == 1 else f"{plural_text(count, 'block')} of {block_days} days"


def _waiting(test: SkillTest) -> str:
    if test.blocks_needed is None:
        return " No number of days will be enough to tell."
    days = test.block_days * max(1, test.blocks_needed - len(test.blocks))
    return f" A model that is as evaluated needs about {plural_text(days, 'more day')} to show it."
