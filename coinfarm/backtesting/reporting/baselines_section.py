"""The report's section that compares the strategy with the baselines."""

from math import isfinite

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.baselines.baseline_result import BaselineResult
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.reports.formatting import number_text, plural_text
from coinfarm.reports.page import Cell, Prose, Section, Table, Tone


def baselines_section(result: BacktestResult) -> Section:
    """The section with the strategy in the first row."""
    rows: list[tuple[str | Cell, ...]] = [("this strategy", *_cells(result.break_even), toned_cell(result.statistics.return_pct), "–")]
    rows += [(each.baseline.name, *_cells(each), toned_cell(each.return_pct), number_text(each.beaten_pct, 0)) for each in result.baselines]
    missing = "".join(
        f" {each.baseline.name.capitalize()}: no place for {plural_text(round(each.missing_trades), 'trade')}."
        for each in result.baselines
        if each.missing_trades
    )
    meanings = "; ".join(f"{each.baseline.name}: {each.baseline.meaning}" for each in result.baselines)
    return Section(
        "Strategy and baselines",
        (
            Prose(
                (
                    "The break-even cost is the round-trip cost, of entry and exit together, at which the profit is zero. It is the "
                    "average trade before costs. All rules trade the same candles at the same costs. Always long, random entries, "
                    "momentum and reversal trade as often and as long as the strategy, with the same stakes.",
                    "Random baselines are means of several complete simulations: their interval holds 90 % of these, which is what "
                    "luck gives, and the last column says how many percent of them the strategy beats.",
                )
            ),
            Table(
                ("", "break-even, bps", "90 % interval", "cost, bps", "trades", "independent", "return, %", "beats, %"),
                rows,
                f"{meanings[0].upper()}{meanings[1:]}.{missing}",
                strong_row=0,
            ),
        ),
    )


def interval_text(found: BreakEven | BaselineResult) -> str:
    """The 90 % interval; a dash if it is undefined."""
    return range_text(found.low_bps, found.high_bps)


def range_text(low: float, high: float) -> str:
    """`-13.9 to 40.4`; a dash if it is undefined."""
    return f"{number_text(low)} to {number_text(high)}" if isfinite(low) else "–"


def toned_cell(value: float) -> Cell:
    """A number in the colour of its sign."""
    return Cell(number_text(value), tone(value))


def tone(value: float) -> Tone:
    """Good above zero, bad below it."""
    if not isfinite(value) or not value:
        return "neutral"
    return "good" if value > 0 else "bad"


def _cells(found: BreakEven | BaselineResult) -> tuple[str, ...]:
    return (
        number_text(found.bps),
        interval_text(found),
        number_text(found.cost_bps),
        f"{found.trades:,.0f}",
        f"{found.independent_trades:,.0f}",
    )
