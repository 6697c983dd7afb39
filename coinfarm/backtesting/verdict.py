"""The verdict in words: does it make money?"""

from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from coinfarm.backtesting.break_even import BreakEven
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.reports.formatting import plural_text

MIN_INDEPENDENT_TRADES = 30
MIN_BLOCKS = 10
MIN_DEFLATED_PROBABILITY = 0.95


class Conclusion(StrEnum):
    MAKES_MONEY = "makes money"
    LOSES_MONEY = "does not make money"
    INCONCLUSIVE = "cannot be told from this much data"


@dataclass(frozen=True)
class BacktestVerdict:
    """The conclusion, a line with the figures that support it, and the reasons for it."""

    conclusion: Conclusion
    headline: str
    reasons: tuple[str, ...]


def decide_verdict(found: BreakEven, period: BacktestPeriod, deflated_probability: float, variants: int) -> BacktestVerdict:
    """The complete interval must lie on one side of the cost; to make money, the deflated Sharpe ratio must be significant, too."""
    conclusion, reasons = _conclude(found, period, deflated_probability, variants)
    if not found.trades:
        return BacktestVerdict(conclusion, f"{conclusion.capitalize()}: the strategy makes no trade.", reasons)
    interval = "no interval" if isnan(found.low_bps) else f"90 % interval {found.low_bps:.1f} to {found.high_bps:.1f}"
    return BacktestVerdict(
        conclusion,
        f"{conclusion.capitalize()}: it breaks even at a round-trip cost of {found.bps:.1f} bps ({interval}), and a round trip costs "
        f"{found.cost_bps:.1f} bps; {plural_text(found.trades, 'trade')}, {found.independent_trades:,.0f} of them independent.",
        reasons,
    )


def _conclude(found: BreakEven, period: BacktestPeriod, deflated_probability: float, variants: int) -> tuple[Conclusion, tuple[str, ...]]:
    too_little = []
    if found.independent_trades < MIN_INDEPENDENT_TRADES:
        too_little.append(f"Fewer than {MIN_INDEPENDENT_TRADES} independent trades are too few for a verdict, whatever the profit.")
    if period.blocks < MIN_BLOCKS:
        too_little.append(
            f"The test period has {period.days:.1f} days, {period.blocks:.1f} blocks to resample; an interval needs at least {MIN_BLOCKS}."
        )
    if too_little:
        return Conclusion.INCONCLUSIVE, tuple(too_little)
    if found.high_bps < found.cost_bps:
        gap = found.cost_bps - found.bps
        free = "It would lose even without costs" if found.bps <= 0 else f"Trading would have to cost less than {found.bps:.1f} bps"
        return Conclusion.LOSES_MONEY, (
            f"The entire interval is below the cost. {free}; the predictions would have to earn {gap:.1f} bps more per trade.",
        )
    if found.low_bps <= found.cost_bps:
        return Conclusion.INCONCLUSIVE, ("The cost is within the interval, so the result may be luck.",)
    if not deflated_probability >= MIN_DEFLATED_PROBABILITY:
        return Conclusion.INCONCLUSIVE, (
            f"The interval is above the cost, but with {plural_text(variants, 'variant')} tried that may be luck: the deflated Sharpe "
            f"ratio, a probability, is {deflated_probability:.2f}; at least {MIN_DEFLATED_PROBABILITY} is required.",
        )
    return Conclusion.MAKES_MONEY, (
        f"The entire interval is above the cost, and with {plural_text(variants, 'variant')} tried the deflated Sharpe ratio, a "
        f"probability, is {deflated_probability:.2f}.",
    )
