"""freqtrade's own backtests of the example, with predictions of a running server."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import coinfarm
from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from tests.freqtrade.conftest import Bot
from tests.support.http_server import response
from tests.support.synthetic_candles import without

CANDLES = without(generate("DEMOUSD", "1m", START_OF_2026_MS, 3000, seed=7), range(1500, 1504))
MINUTE = pd.Timedelta("1min")
PARAMETERS = {"min_rise_pct": 0.6, "min_rise_to_decline": 1.1}


@pytest.fixture
def bot(make_bot: Any) -> Bot:
    found: Bot = make_bot({"BTCUSDT": CANDLES})
    found.store_candles("BTC/USDT", CANDLES)
    found.set_parameters(**PARAMETERS)
    return found


def expected_entries() -> pd.DatetimeIndex:
    """The open times of the candles after those with a signal, from the Python API."""
    table = coinfarm.predict(Candles("BTCUSDT", "1m", CANDLES.open_time, CANDLES.columns, CANDLES.filled)).to_pandas()
    wanted = (
        (table["max_rise_pct"] >= PARAMETERS["min_rise_pct"])
        & (table["max_rise_pct"] >= -PARAMETERS["min_rise_to_decline"] * table["max_decline_pct"])
        & (table["filled_candles"] == 0)
    )
    return pd.to_datetime(table["close_time"][wanted] + 1, unit="ms", utc=True)


def test_trades_follow_the_predictions(bot: Bot) -> None:
    status, output = bot.run("backtesting", "--cache", "none")
    assert status == 0, output
    trades = bot.trades()
    opened, closed = pd.to_datetime(trades["open_date"], utc=True), pd.to_datetime(trades["close_date"], utc=True)
    entries = expected_entries()
    assert len(trades) > 3
    assert opened[0] == entries.min()
    assert set(opened) <= set(entries)
    held = closed - opened
    assert set(held[trades["exit_reason"] == "horizon"]) == {30 * MINUTE}
    assert (held <= 30 * MINUTE).all()
    assert set(trades["enter_tag"]) == {coinfarm.load_model().version}


def test_asks_for_each_window_once_in_batches(bot: Bot) -> None:
    assert bot.run("backtesting", "--cache", "none")[0] == 0
    asked = [[row[0] for row in request["candles"]] for request in bot.server.requests]
    minutes = np.arange(CANDLES.open_time[0], CANDLES.open_time[-1] + 1, 60_000)
    np.testing.assert_array_equal(np.concatenate([opened[199:] for opened in asked]), minutes[199:])
    assert [len(opened) for opened in asked] == [1199, 1199, 1000]


@pytest.mark.parametrize("has_bias", [False, True])
def test_lookahead_analysis(bot: Bot, has_bias: bool) -> None:
    """freqtrade's own analysis finds no look-ahead, and finds it in a strategy that reads the next row's prediction."""
    if has_bias:
        path = bot.strategies / "coinfarm_strategy.py"
        path.write_text(path.read_text().replace('decline = dataframe["max_rise_pct"]', 'decline = dataframe["max_rise_pct"].shift(-1)'))
    options = {
        "timerange": "20260101-20260104",
        "minimum-trade-amount": "3",
        "targeted-trade-amount": "5",
        "lookahead-analysis-exportfilename": "found.csv",
    }
    status, output = bot.run("lookahead-analysis", *(f"--{name}={value}" for name, value in options.items()))
    assert status == 0, output
    (row,) = pd.read_csv(bot.folder / "found.csv").to_dict("records")
    assert row["total_signals"] >= 3
    assert row["has_bias"] is has_bias, output


def test_a_rejected_request_ends_the_backtest(bot: Bot) -> None:
    bot.server.fault = response(json.dumps({"title": "Invalid candles", "detail": "/candles/3/high: is below the low"}), 422)
    status, output = bot.run("backtesting", "--cache", "none")
    assert (status, "Traceback" in output) == (2, False)
    assert "is below the low" in output


@pytest.mark.parametrize(
    "model", [{"horizonCandles": 100}, {"training": None}, {"training": {"interval": "5m, 1h"}}], ids=["horizon", "untrained", "interval"]
)
def test_another_model_ends_the_backtest(bot: Bot, model: dict[str, Any]) -> None:
    bot.server.model = model
    status, output = bot.run("backtesting", "--cache", "none")
    assert (status, "Traceback" in output) == (2, False)
    assert coinfarm.load_model().version in output


def test_a_missing_server_ends_the_backtest(bot: Bot) -> None:
    bot.config = {"coinfarm": {"url": "http://127.0.0.1:9"}}
    status, output = bot.run("backtesting", "--cache", "none")
    assert (status, "Traceback" in output) == (2, False)
    assert "http://127.0.0.1:9" in output


def test_recursive_analysis_finds_enough_startup_candles(bot: Bot) -> None:
    """With the example's startup candles, freqtrade's analysis finds no column that differs with more of them."""
    status, output = bot.run("recursive-analysis", "--timerange=20260102-20260103", "--startup-candle", "199", "400")
    assert status == 0, output
    assert "No variance on indicator(s) found" in output
    assert "No lookahead bias on indicators found" in output
