"""The verdict in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, isfinite, isnan, nan

from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.edge_inference import MAX_P_VALUE, MIN_DAYS, MIN_EFFECTIVE_BLOCKS, MIN_TRADED_DAYS, EdgeInference
from coinfarm.reports.formatting import plural_text

MAX_P_VALUE_OF_FEW_BLOCKS = MAX_P_VALUE / 5.0
"""A result as clear as this is a verdict although the days depend on each other so much that they are few blocks."""
MAX_DAY_SHARE = 0.5
"""Of the profit or loss, made on one day."""
_MAX_NEEDED_DAYS = 36_525
"""A century: more days than that are no plan."""


class Conclusion(StrEnum):
    MAKES_MONEY = "makes money"
    LOSES_MONEY = "does not make money"
    INCONCLUSIVE = "cannot be told from this much data"

    @property
    def short(self) -> str:
        """For a table, whose other columns say how much data there is."""
        return self.removesuffix(" from this much data")


@dataclass(frozen=True)
class BacktestVerdict:
    """The conclusion, a line with the figures that support it, and the reasons for it."""

    conclusion: Conclusion
    headline: str
    reasons: tuple[str, ...]

    def with_warnings(self, warnings: tuple[str, ...], leaks: tuple[str, ...]) -> "BacktestVerdict":
        """With the warnings and leaks as the first reasons. After a leak, the headline says that the verdict is worth nothing."""
        headline = self.headline
        if leaks:
            headline = headline.replace(":", ", but the predictions contain the future, so this verdict is worth nothing:", 1)
        return replace(self, headline=headline, reasons=(*warnings, *leaks, *self.reasons))


def decide_verdict(break_even: BreakEven, tried: int, orders: int = 0) -> BacktestVerdict:
    """The net edge must be significant; one that makes money also given all strategies `tried` on the predictions, this one included.

    `orders` is the number of orders that the strategy wanted.
    """
    found = break_even.inference
    if not break_even.trades:
        conclusion, reasons = Conclusion.INCONCLUSIVE, (_no_trade(orders), *_what_would_tell(found))
        return BacktestVerdict(conclusion, f"{conclusion.capitalize()}: the strategy makes no trade.", reasons)
    if shortage := _shortage(found):
        conclusion, reasons = Conclusion.INCONCLUSIVE, (shortage, *_what_would_tell(found))
    elif found.adjusted_p_value <= MAX_P_VALUE:
        conclusion, reasons = Conclusion.MAKES_MONEY, (_significance(found, tried), *_unseen_losses(found))
    elif found.loss_p_value <= MAX_P_VALUE:
        conclusion, reasons = Conclusion.LOSES_MONEY, (_missing_edge(break_even),)
    else:
        conclusion, reasons = Conclusion.INCONCLUSIVE, (_insignificance(found, tried), *_what_would_tell(found))
    return BacktestVerdict(conclusion, f"{conclusion.capitalize()}: {_figures(break_even)}", reasons)


def _no_trade(orders: int) -> str:
    """Why there is nothing to test."""
    if not orders:
        return "There is nothing to test: no prediction reaches the thresholds, or the rule places no order."
    return (
        f"There is nothing to test: {plural_text(orders, 'order')} and no fill. They are smaller than market.min_order (capital and usual "
        "volume limit them), above a limit on open stakes, at prices that were not reached, or in candles without trades."
    )


def _figures(break_even: BreakEven) -> str:
    found = break_even.inference
    interval = "no interval" if isnan(break_even.low_bps) else f"90 % interval {break_even.low_bps:.1f} to {break_even.high_bps:.1f}"
    return (
        f"it breaks even at a round-trip cost of {break_even.bps:.1f} bps ({interval}), and a round trip costs "
        f"{break_even.cost_bps:.1f} bps; {plural_text(break_even.trades, 'trade')} on {found.days_with_trades:,} of {found.days:,} days."
    )


def _shortage(found: EdgeInference) -> str | None:
    """Why there is too little data for any verdict; None if there is enough."""
    p_value = min(found.adjusted_p_value, found.loss_p_value)
    dependent = found.effective_blocks < MIN_EFFECTIVE_BLOCKS and p_value > MAX_P_VALUE_OF_FEW_BLOCKS
    if found.effective_trading_days < MIN_EFFECTIVE_BLOCKS or dependent:
        return (
            f"The trades are worth {found.effective_blocks:.1f} independent blocks of days, because they are on few days or days depend on "
            f"each other; a verdict needs at least {MIN_EFFECTIVE_BLOCKS}."
        )
    if found.largest_day_share > MAX_DAY_SHARE and p_value <= MAX_P_VALUE:
        return f"One day made {100 * found.largest_day_share:.0f} % of the result: without it, there is not enough left for a verdict."
    return None


def _significance(found: EdgeInference, tried: int) -> str:
    return (
        f"The net edge of {found.edge_bps:.1f} bps a trade is significant: luck alone would show as much with a probability of "
        f"{found.adjusted_p_value:.4f}{_given(tried)} (at most {MAX_P_VALUE} is required)."
    )


def _unseen_losses(found: EdgeInference) -> Iterator[str]:
    """What profits without a loss leave open. With a probability of 5 %, events on a share of up to 3 / n of days are not among n days."""
    if not found.losing_days:
        yield (
            f"No day lost, so how much a bad day costs is unknown: events on up to {300 / found.days_with_trades:.1f} % of days can be "
            f"missing from {found.days_with_trades:,} days."
        )


def _insignificance(found: EdgeInference, tried: int) -> str:
    if found.edge_bps > 0 and found.p_value <= MAX_P_VALUE:
        return (
            f"The net edge of {found.edge_bps:.1f} bps a trade would be significant alone (p = {found.p_value:.4f}), but luck shows as "
            f"much with a probability of {found.adjusted_p_value:.3f}{_given(tried)}; at most {MAX_P_VALUE} is required."
        )
    probability = found.adjusted_p_value if found.edge_bps > 0 else found.loss_p_value
    word = "profit" if found.edge_bps > 0 else "loss"
    return (
        f"The net {word} of {abs(found.edge_bps):.1f} bps a trade may be luck: luck alone shows as much with a probability of "
        f"{probability:.3f}{_given(tried) if found.edge_bps > 0 else ''}; at most {MAX_P_VALUE} is required."
    )


def _given(tried: int) -> str:
    return f" given that {tried} strategies were tried" if tried > 1 else ""


def _missing_edge(break_even: BreakEven) -> str:
    free = "It would lose even without costs" if break_even.bps <= 0 else f"Trading would have to cost less than {break_even.bps:.1f} bps"
    return (
        f"The loss is significant (p = {break_even.inference.loss_p_value:.4f}). {free}; the predictions would have to earn "
        f"{break_even.cost_bps - break_even.bps:.1f} bps more per trade."
    )


def _what_would_tell(found: EdgeInference) -> Iterator[str]:
    """The smallest edge that these data would have found, and how many more days a verdict needs."""
    if isfinite(found.detectable_bps):
        yield (
            f"What the data could have told: a net edge of {found.detectable_bps:.1f} bps a trade or more would have been found with a "
            "probability of 80 %."
        )
    else:
        yield (
            "What the data could have told: no edge would have been found, however large, because an estimate needs trades on at least "
            f"{MIN_TRADED_DAYS} days of a test period of at least {MIN_DAYS}."
        )
    more = _missing_days(found)
    if isnan(more):
        yield "How many more days a verdict needs is unknown without trades."
    elif more <= 0:
        yield "More days are not needed, but the profit must be spread over more of them."
    elif more <= _MAX_NEEDED_DAYS:
        yield f"If the break-even cost stays as it is, a verdict needs about {plural_text(ceil(more), 'more day')} like these."
    else:
        yield "If the break-even cost stays as it is, no number of days that one can wait for would be enough."


def _missing_days(found: EdgeInference) -> float:
    """Until there are enough blocks, and the edge can be found; NaN without trades."""
    if not found.effective_blocks:
        return nan
    for_blocks = found.days * (MIN_EFFECTIVE_BLOCKS / found.effective_blocks - 1.0)
    for_edge = found.needed_days - found.days if isfinite(found.detectable_bps) else 0.0
    return max(for_blocks, for_edge, float(MIN_DAYS - found.days))
