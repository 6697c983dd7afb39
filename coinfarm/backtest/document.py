"""A backtest's result as JSON, and as tables for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.backtest.backtest import Result
from coinfarm.backtest.break_even import BreakEven
from coinfarm.backtest.selection import Sweep
from coinfarm.backtest.statistics import Part
from coinfarm.reports.formatting import minute_text, number_text

if TYPE_CHECKING:
    from rich.table import Table

_BEST_SHOWN = 10


def document(result: Result) -> dict[str, Any]:
    """All figures of the result, for `json.dumps`; None where one cannot be told."""
    found: dict[str, Any] = _told(
        {
            "verdict": {
                "answer": str(result.verdict.answer),
                "headline": result.verdict.headline,
                "reasons": result.verdict.reasons,
                **_break_even(result.break_even),
            },
            "model": result.model,
            "symbols": result.symbols,
            "interval": result.interval,
            "period": {"from": minute_text(result.period.start_ms), "to": minute_text(result.period.stop_ms), "days": result.period.days},
            "predictions": {
                **asdict(result.left_out),
                "judged": sum(map(len, result.coins)),
                "judged_independent": result.independent_predictions,
            },
            "tried": asdict(result.tried),
            "statistics": asdict(result.statistics),
            "direction": asdict(result.direction),
            "baselines": [
                {
                    "name": each.baseline.name,
                    "meaning": each.baseline.meaning,
                    **_break_even(each.break_even),
                    "return_pct": each.return_pct,
                }
                for each in result.compared
            ],
            "by_coin": [asdict(part) for part in result.by_coin],
            "by_month": [asdict(part) for part in result.by_month],
            "folds": [
                {
                    "from": minute_text(fold.start_ms),
                    "to": minute_text(fold.stop_ms),
                    **fold.thresholds._asdict(),
                    "trained_on_trades": fold.trained_on,
                }
                for fold in result.folds
            ],
            "sweep": None if result.sweep is None else vars(result.sweep),
            "strategy": result.strategy.model_dump(mode="json"),
        }
    )
    return found


def tables(result: Result, *, sweep: bool) -> "Iterable[Table]":
    """For a terminal: against the baselines, the statistics, the coins and months; with `sweep`, the best variants too."""
    yield _against_baselines(result)
    yield _statistics(result)
    yield _parts("by coin", result.by_coin)
    yield _parts("by month", result.by_month)
    if sweep and result.sweep is not None:
        yield _variants(result.sweep)


def account(result: Result) -> str:
    """In words, which predictions were judged, and which were not."""
    left, period = result.left_out, result.period
    parts = [f"{left.predictions:,} predictions"]
    for count, what in (
        (left.in_sample, "in sample"),
        (left.without_values, "windows without a prediction"),
        (left.without_candles, "without candles"),
        (left.without_horizon, "without a whole horizon of candles after them"),
    ):
        if count:
            parts.append(f"{count:,} left out: {what}")
    judged = sum(map(len, result.coins))
    if result.sweep is not None:
        parts.append(f"{left.kept - judged:,} to choose thresholds")
    parts.append(
        f"{judged:,} tested, as informative as {result.independent_predictions:,.0f} independent ones, from "
        f"{minute_text(period.start_ms)} to "
        f"{minute_text(period.stop_ms)} UTC"
    )
    if left.in_sample_unknown:
        parts.append(f"{left.in_sample_unknown:,} may be in sample: the model does not say")
    tried = result.tried
    parts.append(f"{tried.variants:,} variants tried{'' if tried.kept else ' (the list could not be stored beside the predictions)'}")
    return "; ".join(parts) + "."


def _against_baselines(result: Result) -> "Table":
    table = _table("Break-even round-trip cost, in bps", "", "break-even", "90 % interval", "cost", "trades", "independent", "return %")
    rows = [("this strategy", result.break_even, result.statistics.return_pct)]
    rows += [(each.baseline.name, each.break_even, each.return_pct) for each in result.compared]
    for name, found, return_pct in rows:
        stray = "–" if not isfinite(found.low_bps) else f"{found.low_bps:.1f} to {found.high_bps:.1f}"
        table.add_row(
            name,
            number_text(found.bps),
            stray,
            number_text(found.cost_bps),
            f"{found.trades:,}",
            f"{found.independent_trades:,.0f}",
            number_text(return_pct),
        )
    return table


def _statistics(result: Result) -> "Table":
    table = _table("Statistics", "", "", "", "")
    figures = asdict(result.statistics) | {
        "direction_right_all_pct": result.direction.all_right_pct,
        "direction_right_traded_pct": result.direction.traded_right_pct,
        "deflated_sharpe_probability": result.tried.deflated_sharpe_probability,
    }
    cells = [(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else number_text(value, 2)) for name, value in figures.items()]
    half = -(-len(cells) // 2)
    for at in range(half):
        table.add_row(*cells[at], *(cells[half + at] if half + at < len(cells) else ("", "")))
    table.columns[2].justify = "left"
    return table


def _parts(title: str, parts: Sequence[Part]) -> "Table":
    table = _table(title.capitalize(), "", "trades", "win rate %", "before cost, bps", "after cost, bps", "return %", "fees")
    for part in parts:
        table.add_row(
            part.name,
            f"{part.trades:,}",
            number_text(part.win_rate_pct),
            number_text(part.average_trade_before_cost_bps),
            number_text(part.average_trade_after_cost_bps),
            number_text(part.return_pct),
            number_text(part.fees_paid_quote, 2),
        )
    return table


def _variants(sweep: Sweep) -> "Table":
    shown = f"{sweep.first_bps.size} variants: the {_BEST_SHOWN} best of the first part, and what became of them"
    table = _table(shown, "end change %", "rise : decline", "first part, bps", "trades", "later, bps", "trades")
    table.columns[0].justify = "right"
    order = np.argsort(-np.nan_to_num(sweep.first_bps, nan=-np.inf), axis=None)[:_BEST_SHOWN]
    for at in order.tolist():
        variant = sweep.variants[at]
        table.add_row(
            f"{variant.min_end_change_pct:.3f}",
            f"{variant.min_rise_to_decline:.2f}",
            number_text(float(sweep.first_bps.flat[at])),
            f"{int(sweep.first_trades.flat[at]):,}",
            number_text(float(sweep.later_bps.flat[at])),
            f"{int(sweep.later_trades.flat[at]):,}",
        )
    return table


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for at, name in enumerate(columns):
        table.add_column(name, justify="right" if at else "left", no_wrap=bool(at) and name == "90 % interval")
    return table


def _break_even(found: BreakEven) -> dict[str, Any]:
    return {
        "break_even_bps": found.bps,
        "break_even_low_bps": found.low_bps,
        "break_even_high_bps": found.high_bps,
        "cost_bps": found.cost_bps,
        "trades": found.trades,
        "independent_trades": found.independent_trades,
    }


def _told(value: Any) -> Any:
    """With lists for arrays, and None for what is no number."""
    if isinstance(value, dict):
        return {key: _told(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return _told(value.tolist())
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
