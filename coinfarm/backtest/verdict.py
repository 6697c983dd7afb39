"""The verdict in words: does it make money?"""

from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from coinfarm.backtest.break_even import BreakEven
from coinfarm.backtest.period import Period

MIN_INDEPENDENT_TRADES = 30
MIN_BLOCKS = 10
MIN_DEFLATED_PROBABILITY = 0.95


class Answer(StrEnum):
    """What can be said."""

    MAKES_MONEY = "makes money"
    DOES_NOT = "does not make money"
    CANNOT_BE_TOLD = "cannot be told from this much data"


@dataclass(frozen=True)
class Verdict:
    """The answer, in one line what it rests on, and why it is no other."""

    answer: Answer
    headline: str
    reasons: tuple[str, ...]


def judge(found: BreakEven, period: Period, deflated_probability: float, variants: int) -> Verdict:
    """The whole interval must lie on one side of the cost, and what makes money must also be more than the luck of the best of many."""
    answer, reasons = _answer(found, period, deflated_probability, variants)
    if not found.trades:
        return Verdict(answer, f"{answer.capitalize()}: the strategy makes no trade.", reasons)
    stray = "no interval" if isnan(found.low_bps) else f"90 % interval {found.low_bps:.1f} to {found.high_bps:.1f}"
    return Verdict(
        answer,
        f"{answer.capitalize()}: it breaks even at a round-trip cost of {found.bps:.1f} bps ({stray}), and a round trip costs "
        f"{found.cost_bps:.1f} bps; {_count(found.trades, 'trade')}, {found.independent_trades:,.0f} of them independent.",
        reasons,
    )


def _answer(found: BreakEven, period: Period, deflated_probability: float, variants: int) -> tuple[Answer, tuple[str, ...]]:
    too_little = []
    if found.independent_trades < MIN_INDEPENDENT_TRADES:
        too_little.append(f"Fewer than {MIN_INDEPENDENT_TRADES} independent trades are too few for a verdict, whatever they earned.")
    if period.blocks < MIN_BLOCKS:
        too_little.append(
            f"The test period has {period.days:.1f} days, {period.blocks:.1f} blocks to resample; an interval needs at least {MIN_BLOCKS}."
        )
    if too_little:
        return Answer.CANNOT_BE_TOLD, tuple(too_little)
    if found.high_bps < found.cost_bps:
        gap = found.cost_bps - found.bps
        free = "It would lose even if trading were free" if found.bps <= 0 else f"Trading would have to cost less than {found.bps:.1f} bps"
        return Answer.DOES_NOT, (
            f"The whole interval lies below the cost. {free}; the predictions would have to earn {gap:.1f} bps more per trade.",
        )
    if found.low_bps <= found.cost_bps:
        return Answer.CANNOT_BE_TOLD, ("The cost lies within the interval, so the result may be luck.",)
    if not deflated_probability >= MIN_DEFLATED_PROBABILITY:
        return Answer.CANNOT_BE_TOLD, (
            f"The interval lies above the cost, but with {_count(variants, 'variant')} tried that may be luck: the deflated Sharpe ratio "
            f"is real with a probability of {deflated_probability:.2f}, and {MIN_DEFLATED_PROBABILITY} is required.",
        )
    return Answer.MAKES_MONEY, (
        f"The whole interval lies above the cost, and with {_count(variants, 'variant')} tried the deflated Sharpe ratio is real with a "
        f"probability of {deflated_probability:.2f}.",
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
