"""The HTML report: self-contained, with the verdict first."""

from dataclasses import replace
from pathlib import Path

import pytest

from coinfarm.backtesting.backtest import backtest
from coinfarm.backtesting.backtest_report import page
from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.strategy import Strategy
from coinfarm.reports.page import Page

SECTIONS = [
    "Strategy and baselines",
    "Capital",
    "Thresholds",
    "Month by month, coin by coin",
    "Some of the trades",
    "Calibration",
    "Method and settings",
]


def result_of(roots: Path, **tables: object) -> BacktestResult:
    strategy = Strategy.model_validate({"exit": {"horizon_candles": 5}, "market": {"volume_share_pct": 100}, **tables})
    return backtest(f"{roots}/results", f"{roots}/candles", strategy, samples=50)


@pytest.fixture(scope="module")
def result(roots: Path) -> BacktestResult:
    return result_of(roots)


@pytest.fixture(scope="module")
def report(result: BacktestResult) -> Page:
    return page(result)


def test_starts_with_the_verdict(result: BacktestResult, report: Page) -> None:
    assert report.verdict.headline == result.verdict.headline
    assert result.verdict.headline in report.html()


def test_has_all_sections(report: Page) -> None:
    assert [section.title for section in report.sections] == SECTIONS


def test_has_a_row_for_every_baseline_and_coin(result: BacktestResult, report: Page) -> None:
    html = report.html()
    for name in [each.baseline.name for each in result.baselines] + list(result.symbols):
        assert f">{name}</th>" in html


def test_omits_sections_without_trades(roots: Path) -> None:
    result = result_of(roots, entry={"min_end_change_pct": 50, "min_rise_to_decline": 0})
    report = page(result)
    assert [section.title for section in report.sections] == [SECTIONS[0], SECTIONS[5], SECTIONS[6]]


def test_omits_heatmaps_of_given_thresholds(result: BacktestResult) -> None:
    assert SECTIONS[2] not in [section.title for section in page(replace(result, sweep=None)).sections]
