"""The picture of a map."""

import re

from coinfarm.backtesting.interval_map.interval_map import interval_map
from coinfarm.backtesting.reporting.map_figure import map_svg
from tests.support.interval_backtests import SAMPLES, interval_backtest


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_shows_intervals_break_even_costs_and_what_is_known_of_them() -> None:
    results = [interval_backtest("1h", 90, known_share=0.8), interval_backtest("2h", 120), interval_backtest("15m", 14)]
    found = texts(map_svg(interval_map(results, SAMPLES)))
    assert {"15m", "1h", "2h"} <= set(found)
    for result in results:
        assert f"{result.break_even.bps:.0f}".replace("-", "−") in found
    assert {text for text in found if text.startswith("break-even")} == {
        "break-even, 90 % interval: makes money",
        "break-even, 90 % interval: cannot be told",
        "break-even, too few days for an interval",
    }


def test_an_interval_without_trades_has_no_break_even_cost() -> None:
    results = [interval_backtest("1h", 60, min_end_change_pct=99.0), interval_backtest("2h", 60, min_end_change_pct=99.0)]
    found = texts(map_svg(interval_map(results, SAMPLES)))
    assert {"1h", "2h"} <= set(found)
    assert not [text for text in found if text.startswith("break-even")]
