"""Trades and equity as CSV, JSON and Parquet."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet as pq

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.reporting.result_files import write_results
from coinfarm.candles.day import DAY_MS
from coinfarm.errors import CoinfarmError
from tests.support.backtest_markets import START_MS, orders, random_walk
from tests.support.simulated_trades import trades

CANDLES = random_walk("DEMOUSD", 3_000, 1)
PERIOD = BacktestPeriod(START_MS, START_MS + 3 * DAY_MS)


@pytest.fixture(scope="module")
def made() -> Trades:
    rules = Market(min_order=0, volume_share_pct=50, borrow_bps_per_day=1_000)
    return trades(CANDLES, orders(*range(60, 2_900, 200), side=-1, hold=90, stop_pct=2.0), rules)


@pytest.fixture(scope="module")
def folder(made: Trades, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "out"
    written = write_results(made, mark_to_market(made, [CANDLES], PERIOD), PERIOD.first_day, 5_000.0, out)
    assert sorted(written) == sorted(out.iterdir())
    return out


@pytest.mark.parametrize("name", ["trades", "equity"])
def test_all_formats_have_the_same_rows(folder: Path, name: str) -> None:
    rows = json.loads((folder / f"{name}.json").read_text())
    with (folder / f"{name}.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{key: str(value) for key, value in row.items()} for row in rows]
    stored = pq.read_table(folder / f"{name}.parquet")
    assert stored.column_names == list(rows[0])
    for column in stored.column_names:
        if column not in ("entry_time", "exit_time", "day"):
            assert stored[column].to_pylist() == [row[column] for row in rows]


def test_trades_have_their_times_and_all_costs(folder: Path, made: Trades) -> None:
    rows = json.loads((folder / "trades.json").read_text())
    assert len(rows) == len(made) > 5
    assert rows[0]["entry_time"] == "2019-05-01T01:01:00Z"
    assert rows[0]["entry_time_ms"] == START_MS + 61 * 60_000
    assert {row["side"] for row in rows} == {-1}
    for row in rows:
        assert min(row["slippage_quote"], row["fees_quote"], row["borrow_quote"]) > 0
        assert row["cost_quote"] == pytest.approx(row["slippage_quote"] + row["fees_quote"] + row["borrow_quote"])
        assert row["profit_quote"] == pytest.approx(row["profit_before_cost_quote"] - row["cost_quote"])
    parquet = pq.read_table(folder / "trades.parquet")
    assert str(parquet["exit_time"].type) == "timestamp[ms, tz=UTC]"
    assert [time.timestamp() * 1_000 for time in parquet["exit_time"].to_pylist()] == [row["exit_time_ms"] for row in rows]


def test_equity_is_the_capital_with_the_profits_of_all_days(folder: Path, made: Trades) -> None:
    rows = json.loads((folder / "equity.json").read_text())
    assert [row["day"] for row in rows] == ["2019-05-01", "2019-05-02", "2019-05-03"]
    assert rows[1]["day_ms"] - rows[0]["day_ms"] == DAY_MS
    np.testing.assert_allclose([row["gross"] - row["cost"] for row in rows], [row["net"] for row in rows])
    np.testing.assert_allclose([row["equity"] for row in rows], 5_000 + np.cumsum([row["net"] for row in rows]))
    assert rows[-1]["equity"] == pytest.approx(5_000 + made.net.sum())


def test_no_trades_make_files_without_rows(tmp_path: Path) -> None:
    nothing = Trades.from_rows(("DEMOUSD",), [])
    write_results(nothing, mark_to_market(nothing, [CANDLES], PERIOD), PERIOD.first_day, 5_000.0, tmp_path)
    assert json.loads((tmp_path / "trades.json").read_text()) == []
    assert len((tmp_path / "trades.csv").read_text().splitlines()) == 1
    assert pq.read_table(tmp_path / "trades.parquet").num_rows == 0
    assert {row["equity"] for row in json.loads((tmp_path / "equity.json").read_text())} == {5_000.0}


def test_names_a_folder_that_cannot_be_written(made: Trades, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CoinfarmError, match="file: "):
        write_results(made, mark_to_market(made, [CANDLES], PERIOD), PERIOD.first_day, 5_000.0, tmp_path / "file")
