"""The tables of a map fit into 80 columns."""

from dataclasses import replace

from coinfarm.backtesting.interval_map.interval_map import IntervalMap, interval_map
from coinfarm.backtesting.interval_map.requirements import PayingFees
from coinfarm.cli.map_tables import map_tables
from tests.support.interval_backtests import SAMPLES, interval_backtest
from tests.support.table_text import assert_fits


def test_tables_fit_and_have_every_interval() -> None:
    results = [interval_backtest("1h", 90, known_share=0.8), interval_backtest("4h", 200), interval_backtest("15m", 14)]
    tables = list(map_tables(interval_map(results, SAMPLES)))
    for table in tables:
        assert list(table.columns[0].cells) == ["15m", "1h", "4h"]
        assert_fits(table)


def test_wide_intervals_fit() -> None:
    (each,) = interval_map([interval_backtest("1h", 90, known_share=0.8)], SAMPLES).intervals
    found = each.result.break_even
    inference = replace(found.inference, low_bps=-1_234.5, high_bps=1_234.5, detectable_bps=1_234.5, effective_blocks=1_234.5)
    result = replace(each.result, break_even=replace(found, inference=inference, trades=123_456, bps=-1_234.5))
    wide = replace(
        each, result=result, daily_profit=replace(each.daily_profit, low_bps=-1_234.5, high_bps=1_234.5), median_move_bps=1_234.5
    )
    fees = PayingFees(-1_234.5, -1_237.5, -1_618.7, -1_618.7)
    for table in map_tables(IntervalMap((replace(wide, would_pay=fees, surely_pays=fees),))):
        assert_fits(table)
