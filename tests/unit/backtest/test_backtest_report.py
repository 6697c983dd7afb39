"""The report: one page that needs nothing else, with the verdict first."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtest.backtest import BacktestResult, backtest
from coinfarm.backtest.backtest_report import page
from coinfarm.backtest.strategy import Strategy
from coinfarm.backtest.trade_gallery import example_trades
from coinfarm.backtest.trades import HORIZON, Trade, Trades
from coinfarm.reports.page import Page
from tests.support.backtest_markets import START_MS

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
def made(result: BacktestResult) -> Page:
    return page(result)


def test_it_begins_with_the_verdict(result: BacktestResult, made: Page) -> None:
    assert made.verdict.headline == result.verdict.headline
    assert result.verdict.headline in made.html()


def test_it_has_every_part(made: Page) -> None:
    assert [section.title for section in made.sections] == SECTIONS


def test_it_needs_nothing_else(made: Page) -> None:
    html = made.html()
    assert "<script" not in html
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html) == []
    assert re.findall(r"url\((?!#)", html) == []


def test_every_baseline_and_coin_has_its_row(result: BacktestResult, made: Page) -> None:
    html = made.html()
    for name in [each.baseline.name for each in result.baselines] + list(result.symbols):
        assert f">{name}</th>" in html


def test_the_same_result_makes_the_same_page(result: BacktestResult, made: Page) -> None:
    assert page(result).html() == made.html()


def test_a_strategy_that_never_trades_has_a_page_too(roots: Path) -> None:
    result = result_of(roots, entry={"min_end_change_pct": 50, "min_rise_to_decline": 0})
    made = page(result)
    assert "the strategy makes no trade" in made.html()
    assert [section.title for section in made.sections] == [SECTIONS[0], SECTIONS[5], SECTIONS[6]]


def test_thresholds_that_were_given_have_no_heat_map(result: BacktestResult) -> None:
    made = page(replace(result, sweep=None))
    assert SECTIONS[2] not in [section.title for section in made.sections]


@pytest.mark.parametrize(("count", "kinds"), [(0, (0, 0, 0)), (3, (2, 1, 0)), (5, (2, 2, 1)), (20, (2, 2, 2))])
def test_no_trade_is_shown_twice(count: int, kinds: tuple[int, ...]) -> None:
    earned = np.random.default_rng(1).permutation(count)
    rows = [
        Trade(0, at, START_MS + at, START_MS + at + 1, 1, HORIZON, 1.0, 1.0, 100.0, float(gross), 0.0, 0.0)
        for at, gross in enumerate(earned)
    ]
    shown = example_trades(Trades.from_rows(("DEMOUSD",), rows), 2)
    assert tuple(map(len, shown.values())) == kinds
    everything = [at for rows in shown.values() for at in rows]
    assert len(set(everything)) == len(everything)
    if count > 2:
        assert [int(earned[at]) for at in shown["best"]] == [count - 1, count - 2]
        assert int(earned[shown["worst"][0]]) == 0
