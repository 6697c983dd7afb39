"""A map as JSON."""

import json

from coinfarm.backtesting.interval_map.interval_map import interval_map
from coinfarm.backtesting.reporting.map_document import map_document
from tests.support.interval_backtests import SAMPLES, interval_backtest


def test_has_every_figure_of_the_map_and_none_for_undefined_ones() -> None:
    results = [interval_backtest("1h", 90, known_share=0.8), interval_backtest("2h", 60, min_end_change_pct=99.0)]
    found = interval_map(results, SAMPLES)
    document = map_document(found)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    hour, idle = document["intervals"]
    (figures, _) = found.intervals
    assert (hour["interval"], hour["answer"], hour["symbols"]) == ("1h", "makes money", ["DEMOBTC"])
    assert hour["period"] == hour["backtest"]["period"]
    assert hour["would_pay"]["cost_bps"] == hour["break_even_bps"] == figures.result.break_even.bps
    assert hour["surely_pays"]["taker_bps"] == figures.surely_pays.taker_bps
    assert hour["net_daily_profit_bps"] == figures.daily_profit.edge_bps
    assert hour["accuracy"]["required_pct"] == figures.accuracy.required_pct
    assert hour["p_value_given_all_tried"] == hour["backtest"]["verdict"]["adjusted_p_value"]
    assert document["tried"]["strategies"] == hour["backtest"]["tried"]["strategies"] == 2
    assert [each["name"] for each in hour["backtest"]["tried"]["elsewhere"]] == ["default, 2h candles"]
    assert idle["trades"] == 0
    assert idle["break_even_bps"] is idle["detectable_edge_bps"] is idle["accuracy"]["required_pct"] is None
    assert idle["median_move_bps"] > 0
