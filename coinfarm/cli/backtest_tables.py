"""A backtest on a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import inf, isfinite, nan

import numpy as np
from rich.table import Table

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.baselines.baseline_result import BaselineResult
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.statistics import GroupStatistics
from coinfarm.backtesting.walk_forward import Sweep
from coinfarm.cli.tables import numeric_table
from coinfarm.reports.formatting import number_text

_BEST_SHOWN = 10


def backtest_tables(result: BacktestResult, *, sweep: bool) -> Iterator[Table]:
    """The strategy next to the baselines, the statistics, and the results by coin and month; with `sweep`, the best variants too."""
    yield _baselines_table(result)
    yield _statistics_table(result)
    yield _groups_table("By coin", result.by_coin)
    yield _groups_table("By month", result.by_month)
    if result.trials.others:
        yield _trials_table(result)
    if sweep and result.sweep is not None:
        yield _variants_table(result.sweep)


def _baselines_table(result: BacktestResult) -> Table:
    table = numeric_table("Break-even round-trip cost, in bps", "", "bps", "90 % interval", "cost", "trades", "return %", "beats %")
    table.columns[0].min_width = 11  # names wrap between words
    table.columns[2].no_wrap = True
    rows: list[tuple[str, BreakEven | BaselineResult, float, float]] = [
        ("this strategy", result.break_even, result.statistics.return_pct, nan)
    ]
    rows += [(each.baseline.name, each, each.return_pct, each.beaten_pct) for each in result.baselines]
    for name, found, return_pct, beaten_pct in rows:
        table.add_row(
            name,
            number_text(found.bps),
            f"{found.low_bps:.1f} to {found.high_bps:.1f}" if isfinite(found.low_bps) else "–",
            number_text(found.cost_bps),
            f"{found.trades:,.0f}",
            number_text(return_pct),
            number_text(beaten_pct, 0),
        )
    return table


def _statistics_table(result: BacktestResult) -> Table:
    table = numeric_table("Statistics", "", "", "", "")
    figures = asdict(result.statistics) | {
        "direction_accuracy_all_pct": result.direction.all_right_pct,
        "direction_accuracy_traded_pct": result.direction.traded_right_pct,
        "deflated_sharpe_probability": result.trials.deflated_sharpe_probability,
        "overfitting_probability": result.overfitting_probability,
        "p_value": result.break_even.inference.p_value,
        "p_value_given_all_tried": result.break_even.inference.adjusted_p_value,
        "effective_blocks_of_days": result.break_even.inference.effective_blocks,
        "detectable_edge_bps": result.break_even.inference.detectable_bps,
    }
    cells = [(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else number_text(value, 2)) for name, value in figures.items()]
    half = -(-len(cells) // 2)
    for row in range(half):
        table.add_row(*cells[row], *(cells[half + row] if half + row < len(cells) else ("", "")))
    table.columns[2].justify = "left"
    return table


def _groups_table(title: str, groups: Sequence[GroupStatistics]) -> Table:
    table = numeric_table(title, "", "trades", "win rate %", "before cost, bps", "after cost, bps", "return %", "fees")
    for group in groups:
        table.add_row(
            group.name,
            f"{group.trades:,}",
            number_text(group.win_rate_pct),
            number_text(group.average_trade_before_cost_bps),
            number_text(group.average_trade_after_cost_bps),
            number_text(group.return_pct),
            number_text(group.fees_paid_quote, 2),
        )
    return table


def _trials_table(result: BacktestResult) -> Table:
    """The strategies that the verdict's p value counts, the best ones first."""
    table = numeric_table(f"{result.trials.count:,} strategies tried on these predictions: the best others", "", "net edge, bps", "days")
    known = sorted(result.trials.others, key=lambda each: each.edge_bps if isfinite(each.edge_bps) else -inf, reverse=True)
    for trial in known[:_BEST_SHOWN]:
        table.add_row(trial.name, number_text(trial.edge_bps), f"{len(trial.net):,}")
    return table


def _variants_table(sweep: Sweep) -> Table:
    title = f"{sweep.first_bps.size} variants: the {_BEST_SHOWN} with the best trades before costs in the first part"
    table = numeric_table(title, "end change %", "rise : decline", "first part, bps", "trades", "later, bps", "trades")
    table.columns[0].justify = "right"
    order = np.argsort(-np.nan_to_num(sweep.first_bps, nan=-np.inf), axis=None)[:_BEST_SHOWN]
    for number in order.tolist():
        variant = sweep.variants[number]
        table.add_row(
            f"{variant.min_end_change_pct:.3f}",
            f"{variant.min_rise_to_decline:.2f}",
            number_text(float(sweep.first_bps.flat[number])),
            f"{int(sweep.first_trades.flat[number]):,}",
            number_text(float(sweep.later_bps.flat[number])),
            f"{int(sweep.later_trades.flat[number]):,}",
        )
    return table
