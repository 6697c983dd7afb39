"""The answer of a map in one sentence."""

from dataclasses import replace

from coinfarm.backtesting.interval_map.interval_map import interval_map
from coinfarm.backtesting.reporting.map_text import map_headline, map_warnings
from tests.support.interval_backtests import SAMPLES, interval_backtest


def test_lists_the_intervals_by_answer_and_names_leaks() -> None:
    leaking = replace(interval_backtest("1h", 60, min_end_change_pct=99.0), leaks=("a leak",))
    results = [leaking, *(interval_backtest(interval, 60, min_end_change_pct=99.0) for interval in ("2h", "3h"))]
    found = interval_map(results, SAMPLES)
    text = map_headline(found)
    assert text.startswith("Over 3 intervals: cannot be told at 1h, 2h and 3h.")
    assert "future at 1h" in text
    assert map_warnings(found) == ("1h: a leak",)
