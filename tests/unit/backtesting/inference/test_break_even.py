"""The break-even cost and its interval."""

import numpy as np
import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades
from coinfarm.backtesting.inference.break_even import BreakEven, break_even
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from tests.support.backtest_markets import START_MS, flat, market, orders, random_walk

HOUR_MS = 3_600_000
PERIOD = BacktestPeriod(START_MS, START_MS + 40 * DAY_MS)
CANDLES = [market([flat(), flat()])]


def hourly(gross: list[float], stakes: list[float], cost: float = 2.0) -> Trades:
    """A trade at the beginning of each hour, an hour long."""
    rows = [
        Trade(0, at, START_MS + at * HOUR_MS, START_MS + (at + 1) * HOUR_MS, 1, HORIZON, 100.0, 100.0, stake, profit, 0.0, cost)
        for at, (profit, stake) in enumerate(zip(gross, stakes, strict=True))
    ]
    return Trades.from_rows(("DEMOUSD",), rows)


def estimate(trades: Trades) -> BreakEven:
    return break_even(trades, mark_to_market(trades, CANDLES, PERIOD), 100)


def test_the_interval_is_about_the_break_even_cost() -> None:
    luck = np.random.default_rng(3).normal(30.0, 100.0, 40 * 24)
    found = estimate(hourly((luck / 10.0).tolist(), [1_000.0] * len(luck)))
    assert found.low_bps < found.bps < found.high_bps
    assert found.bps - found.low_bps == pytest.approx(found.inference.edge_bps - found.inference.low_bps)
    assert found.inference.edge_bps == pytest.approx(found.bps - found.cost_bps)


def test_is_the_mean_trade_before_costs_weighted_by_stake() -> None:
    found = estimate(hourly([3.0, -1.0], [1_000.0, 3_000.0]))
    assert found.bps == pytest.approx(5.0)
    assert found.cost_bps == pytest.approx(10.0)
    assert (found.trades, found.independent_trades) == (2, 2.0)


def test_the_profit_is_zero_at_the_break_even_cost() -> None:
    candles = random_walk("DEMOUSD", 400, 5)
    close = candles.columns.close
    rising = np.flatnonzero(close[55:380] > close[50:375]) + 50
    free = Market(maker_fee_bps=0, taker_fee_bps=0, slippage_bps=0)
    before = _trades(candles, orders(*rising, hold=5), free)
    half_bps = estimate(before).bps / 2
    assert half_bps > 5
    after = _trades(candles, orders(*rising, hold=5), Market(maker_fee_bps=0, taker_fee_bps=half_bps, slippage_bps=0))
    # The fee on the way out is of what the position is worth then: a few permille more than the stake.
    assert after.net.sum() == pytest.approx(0.0, abs=0.01 * after.gross.sum())


def _trades(candles: Candles, placed: Orders, rules: Market) -> Trades:
    return simulate_trades(("DEMOUSD",), [fill_orders(candles, placed, rules)])


def test_is_nan_without_trades() -> None:
    found = estimate(hourly([], []))
    assert found.trades == 0
    assert np.isnan([found.bps, found.low_bps, found.high_bps, found.cost_bps]).all()
