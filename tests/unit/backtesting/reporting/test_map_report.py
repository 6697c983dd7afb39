"""The page of a map: one row for each interval, each with a link to its own page."""

import re

import pytest

from coinfarm.backtesting.interval_map.interval_map import IntervalMap, interval_map
from coinfarm.backtesting.reporting.map_report import map_page
from coinfarm.reports.page import Cell, Table
from tests.support.interval_backtests import SAMPLES, interval_backtest

PAGES = {"1h": "verdict-1h.html", "2h": "verdict-2h.html"}


@pytest.fixture(scope="module")
def found() -> IntervalMap:
    return interval_map([interval_backtest("1h", 90, known_share=0.8), interval_backtest("2h", 90)], SAMPLES)


def tables(found: IntervalMap) -> list[Table]:
    return [element for section in map_page(found, PAGES).sections for element in section.elements if isinstance(element, Table)]


def test_every_table_has_a_row_for_each_interval_and_a_cell_for_each_heading(found: IntervalMap) -> None:
    for table in tables(found):
        assert [row[0].text if isinstance(row[0], Cell) else row[0] for row in table.rows] == ["1h", "2h"]
        assert {len(row) for row in table.rows} == {len(table.header)}


def test_links_to_the_page_of_each_interval_and_to_nothing_else(found: IntervalMap) -> None:
    html = map_page(found, PAGES).html()
    assert re.findall(r'href="([^#"]*)"', html) == list(PAGES.values())


def test_says_the_answers_first_then_notes_and_how_many_tries_they_count(found: IntervalMap) -> None:
    summary = map_page(found, PAGES, ("a note",)).summary
    assert summary.headline == "Over 2 intervals: makes money at 1h; cannot be told at 2h."
    assert summary.reasons[0] == "a note"
    assert re.search(r"\b2 strategies\b.*\b5 %", summary.reasons[1])
    assert summary.tone == "good"
