"""Trades of both simulations, which must be the same."""

import numpy as np

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.position_schedule import ONE_PER_COIN, PositionLimits
from coinfarm.backtesting.execution.reference_simulation import simulate_by_candle
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import Trade, Trades
from coinfarm.candles.candles import Candles
from tests.support.backtest_markets import FREE


def assert_same_trades(found: Trades, expected: Trades) -> None:
    """Equal, but for rounding."""
    for name in Trade._fields:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-7, err_msg=name)


def trades_of_coins(coins: list[Candles], wanted: list[Orders], rules: Market = FREE, limits: PositionLimits = ONE_PER_COIN) -> Trades:
    symbols = tuple(candles.symbol for candles in coins)
    found = simulate_trades(symbols, [fill_orders(c, o, rules) for c, o in zip(coins, wanted, strict=True)], limits)
    assert_same_trades(found, simulate_by_candle(symbols, coins, wanted, rules, limits))
    return found


def trades(candles: Candles, wanted: Orders, rules: Market = FREE, limits: PositionLimits = ONE_PER_COIN) -> Trades:
    return trades_of_coins([candles], [wanted], rules, limits)


def only(candles: Candles, wanted: Orders, rules: Market = FREE) -> Trade:
    """The only trade."""
    found = trades(candles, wanted, rules)
    assert len(found) == 1
    return found[0]
