"""A map of intervals as JSON."""

from dataclasses import asdict
from typing import Any

from coinfarm.backtesting.interval_map.interval_map import IntervalFigures, IntervalMap
from coinfarm.backtesting.reporting.backtest_document import backtest_document, plain_json
from coinfarm.backtesting.reporting.map_text import map_headline, tries_text


def map_document(found: IntervalMap) -> dict[str, Any]:
    """All figures of the map, for `json.dumps`; None for an undefined one. `backtest` is the document of each interval's backtest."""
    document: dict[str, Any] = plain_json(
        {
            "headline": map_headline(found),
            "tried": {"strategies": found.tried, "meaning": tries_text(found)},
            "intervals": [_interval(each) for each in found.intervals],
        }
    )
    return document


def _interval(each: IntervalFigures) -> dict[str, Any]:
    document = backtest_document(each.result)
    inference = each.result.break_even.inference
    return {
        "interval": each.interval,
        "symbols": each.result.symbols,
        "period": document["period"],
        "answer": str(each.conclusion),
        "median_move_bps": each.median_move_bps,
        "cost_bps": each.result.break_even.cost_bps,
        "break_even_bps": each.result.break_even.bps,
        "break_even_low_bps": each.result.break_even.low_bps,
        "break_even_high_bps": each.result.break_even.high_bps,
        "net_daily_profit_bps": each.daily_profit.edge_bps,
        "net_daily_profit_low_bps": each.daily_profit.low_bps,
        "net_daily_profit_high_bps": each.daily_profit.high_bps,
        "trades": each.result.break_even.trades,
        "independent_blocks": inference.effective_blocks,
        "detectable_edge_bps": inference.detectable_bps,
        "p_value_given_all_tried": inference.adjusted_p_value,
        "would_pay": asdict(each.would_pay),
        "surely_pays": asdict(each.surely_pays),
        "accuracy": asdict(each.accuracy),
        "backtest": document,
    }
