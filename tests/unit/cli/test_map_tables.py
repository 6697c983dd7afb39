"""The tables of a map fit into 80 columns."""

from coinfarm.backtesting.interval_map.interval_map import interval_map
from coinfarm.cli.map_tables import map_tables
from tests.support.interval_backtests import SAMPLES, interval_backtest
from tests.support.table_text import assert_fits


def test_tables_fit_and_have_every_interval() -> None:
    results = [interval_backtest("1h", 90, known_share=0.8), interval_backtest("4h", 200), interval_backtest("15m", 14)]
    tables = list(map_tables(interval_map(results, SAMPLES)))
    for table in tables:
        assert list(table.columns[0].cells) == ["15m", "1h", "4h"]
        assert_fits(table)
