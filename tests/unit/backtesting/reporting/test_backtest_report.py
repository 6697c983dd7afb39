"""The HTML report: self-contained, with the verdict first."""

from dataclasses import replace

import pytest

from coinfarm.backtesting.backtest import backtest
from coinfarm.backtesting.reporting.backtest_report import page
from coinfarm.backtesting.strategy import Strategy

SECTIONS = [
    "Strategy and baselines",
    "Capital",
    "Thresholds",
    "Month by month, coin by coin",
    "Some of the trades",
    "Calibration",
    "Method and settings",
]


def result_of(roots, **tables):
    strategy = Strategy.model_validate({"exit": {"horizon_candles": 5}, "market": {"volume_share_pct": 100}, **tables})
    return backtest(f"{roots}/results", f"{roots}/candles", strategy, samples=50)


@pytest.fixture(scope="module")
def result(roots):
    return result_of(roots)


def test_has_the_verdict_all_sections_baselines_and_coins(result):
    report = page(result)
    assert report.summary.headline == result.verdict.headline
    assert [section.title for section in report.sections] == SECTIONS
    html = report.html()
    assert result.verdict.headline in html
    for name in [each.baseline.name for each in result.baselines] + list(result.symbols):
        assert f">{name}</th>" in html


def test_omits_sections_without_trades(roots):
    result = result_of(roots, entry={"min_end_change_pct": 50, "min_rise_to_decline": 0})
    assert [section.title for section in page(result).sections] == [SECTIONS[0], SECTIONS[5], SECTIONS[6]]


def test_omits_heatmaps_of_given_thresholds(result):
    assert SECTIONS[2] not in [section.title for section in page(replace(result, sweep=None)).sections]
