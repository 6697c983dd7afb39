"""A backtest's result as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.baselines.baseline_result import BaselineResult
from coinfarm.backtesting.baselines.baseline_strategies import BUY_AND_HOLD
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.trials import Trial
from coinfarm.backtesting.walk_forward import Sweep
from coinfarm.candles.day import DAY_MS
from coinfarm.reports.formatting import minute_text


def backtest_document(result: BacktestResult) -> dict[str, Any]:
    """All figures of the result, for `json.dumps`; None for an undefined one."""
    document: dict[str, Any] = plain_json(
        {
            "verdict": {
                "answer": str(result.verdict.conclusion),
                "headline": result.verdict.headline,
                "reasons": result.verdict.reasons,
                **_break_even(result.break_even),
                **asdict(result.break_even.inference),
            },
            "warnings": result.warnings,
            "model": result.model,
            "model_horizon_candles": result.model_horizon,
            "symbols": result.symbols,
            "interval": result.interval,
            "period": {"from": minute_text(result.period.start_ms), "to": minute_text(result.period.stop_ms), "days": result.period.days},
            "predictions": {
                **asdict(result.exclusions),
                "judged": sum(map(len, result.coins)),
                "judged_independent": result.independent_predictions,
            },
            "tried": {
                "strategies": result.trials.count,
                "others": _trials(result.trials.others),
                "elsewhere": _trials(result.trials.elsewhere),
                "deflated_sharpe_probability": result.trials.deflated_sharpe_probability,
                "kept": result.trials.stored,
            },
            "statistics": asdict(result.statistics),
            "direction": asdict(result.direction),
            "baselines": [
                {
                    "name": each.baseline.name,
                    "meaning": each.baseline.meaning,
                    **_break_even(each),
                    "draws": len(each.baseline.draws),
                    "beaten_pct": each.beaten_pct,
                    "missing_trades": each.missing_trades,
                    "net_profit_quote": each.net_profit_quote,
                    "return_pct": each.return_pct,
                    "return_low_pct": each.return_low_pct,
                    "return_high_pct": each.return_high_pct,
                }
                for each in result.baselines
            ],
            "buy_and_hold": {
                "return_pct": next(each.return_pct for each in result.baselines if each.baseline.name == BUY_AND_HOLD),
                "strategy_return_pct": result.statistics.return_pct,
            },
            "by_coin": [asdict(group) for group in result.by_coin],
            "by_month": [asdict(group) for group in result.by_month],
            "folds": [
                {
                    "from": minute_text(fold.start_ms),
                    "to": minute_text(fold.stop_ms),
                    **fold.thresholds._asdict(),
                    "trained_on_trades": fold.selection_trades,
                }
                for fold in result.folds
            ],
            "overfitting_probability": result.overfitting_probability,
            "daily": {"first_day": minute_text(result.period.first_day * DAY_MS)[:10], **vars(result.marked)},
            "sweep": None if result.sweep is None else _sweep(result.sweep),
            "strategy": result.strategy.model_dump(mode="json"),
        }
    )
    return document


def _trials(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    return [{"name": each.name, "edge_bps": each.edge_bps, "days": len(each.net)} for each in trials]


def _break_even(found: BreakEven | BaselineResult) -> dict[str, Any]:
    return {
        "break_even_bps": found.bps,
        "break_even_low_bps": found.low_bps,
        "break_even_high_bps": found.high_bps,
        "cost_bps": found.cost_bps,
        "trades": found.trades,
        "independent_trades": found.independent_trades,
    }


def _sweep(sweep: Sweep) -> dict[str, Any]:
    return {name: values for name, values in vars(sweep).items() if name != "daily_net"}


def plain_json(value: Any) -> Any:
    """Replace arrays and tuples by lists, NaN and infinity by None."""
    if isinstance(value, dict):
        return {key: plain_json(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_json(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
