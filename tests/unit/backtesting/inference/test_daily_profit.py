"""Profits by day, marked to market."""

import numpy as np
import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.strategy import Market
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from image_render.windows import Columns
from tests.support.backtest_markets import START_MS, orders

HOUR_MS = 3_600_000
PERIOD = BacktestPeriod(START_MS, START_MS + 4 * DAY_MS)


def hourly(closes: list[float]) -> Candles:
    close = np.array(closes)
    opening = np.append(close[0], close[:-1])
    times = START_MS + np.arange(len(close)) * HOUR_MS
    volume = np.full(len(close), 1e6)
    return Candles.checked("DEMOUSD", "1h", times, Columns(opening, np.maximum(opening, close), np.minimum(opening, close), close, volume))


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_an_open_position_is_valued_at_each_midnight(side: int) -> None:
    candles = hourly(np.linspace(100.0, 195.0, 96).tolist())
    entry, last = 12, 60  # noon of the first day to noon of the third
    price = candles.columns.open
    gross = side * 1_000.0 * (price[last] / price[entry] - 1.0)
    times = START_MS + entry * HOUR_MS, START_MS + last * HOUR_MS
    row = Trade(0, entry - 1, *times, side, HORIZON, float(price[entry]), float(price[last]), 1_000.0, gross, 1.0, 3.0)
    found = mark_to_market(Trades.from_rows(("DEMOUSD",), [row]), [candles], PERIOD)
    close = candles.columns.close
    at_midnight = side * 1_000.0 * (close[[23, 47]] / price[entry] - 1.0)
    assert found.gross == pytest.approx([at_midnight[0], at_midnight[1] - at_midnight[0], gross - at_midnight[1], 0.0])
    assert found.cost.tolist() == [2.0, 0.0, 2.0, 0.0]
    assert found.stake.tolist() == [1_000.0, 0.0, 0.0, 0.0]


def test_marking_moves_profit_between_days_and_keeps_its_sum() -> None:
    generator = np.random.default_rng(2)
    candles = hourly((100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, 96)))).tolist())
    trades = simulate_trades(("DEMOUSD",), [fill_orders(candles, orders(3, 9, 20, 33, 41, hold=30), Market())], PositionLimits(per_coin=5))
    found = mark_to_market(trades, [candles], PERIOD)
    assert len(trades) == 5
    assert found.net.sum() == pytest.approx(trades.net.sum())
    assert found.gross.sum() == pytest.approx(trades.gross.sum())
