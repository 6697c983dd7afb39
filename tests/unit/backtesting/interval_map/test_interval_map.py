"""The figures of each interval."""

from math import isnan

import numpy as np
import pytest

from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.backtesting.interval_map.interval_map import interval_map
from tests.support.interval_backtests import SAMPLES, interval_backtest


def test_lists_the_intervals_from_the_shortest_to_the_longest() -> None:
    results = [interval_backtest("2h", 90), interval_backtest("30m", 30), interval_backtest("1h", 90, known_share=0.8)]
    found = interval_map(results, SAMPLES)
    assert [each.interval for each in found.intervals] == ["30m", "1h", "2h"]
    assert found.tried == 3
    assert found.at(Conclusion.MAKES_MONEY) == ("1h",)
    hour = found.intervals[1]
    assert hour.would_pay.cost_bps == results[2].break_even.bps
    assert hour.surely_pays.cost_bps == results[2].break_even.low_bps
    assert hour.surely_pays.taker_bps < hour.would_pay.taker_bps


def test_the_daily_profit_counts_every_day_once() -> None:
    result = interval_backtest("1h", 90, known_share=0.4)
    (each,) = interval_map([result], SAMPLES).intervals
    assert each.daily_profit.edge_bps == pytest.approx(1e4 * float(np.mean(result.marked.net)) / 10_000.0)
    assert each.daily_profit.low_bps < each.daily_profit.edge_bps < each.daily_profit.high_bps


def test_an_interval_without_trades_has_its_median_move_alone() -> None:
    (each,) = interval_map([interval_backtest("1h", 60, min_end_change_pct=99.0)], SAMPLES).intervals
    assert each.median_move_bps > 0
    assert all(isnan(value) for value in (each.daily_profit.edge_bps, each.would_pay.taker_bps, each.accuracy.required_pct))
