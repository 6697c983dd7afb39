"""Trades from fills, under the limits on open positions and with the costs of trading.

`coinfarm.backtesting.execution.reference_simulation` is a slow but simple implementation of the same, candle by candle.
"""

from collections.abc import Sequence

import numpy as np

from coinfarm.backtesting.execution.fills import Fills
from coinfarm.backtesting.execution.position_schedule import ONE_PER_COIN, PositionLimits, schedule
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.execution.trading_costs import trading_costs


def simulate_trades(symbols: tuple[str, ...], fills: Sequence[Fills], limits: PositionLimits = ONE_PER_COIN) -> Trades:
    """The trades of all coins, in the order of `symbols`, of those orders that `schedule` accepts and that are filled."""
    taken = schedule([each.holdings for each in fills], limits)
    return Trades.concatenate(
        [trades_from_fills(symbols, coin, each.rows(rows[each.filled[rows]])) for coin, (each, rows) in enumerate(zip(fills, taken))]
    )


def trades_from_fills(symbols: tuple[str, ...], coin: int, fills: Fills) -> Trades:
    """All of the fills as trades of the coin with that index in `symbols`. Those that are not filled have no meaning."""
    orders, entry_price, exit_price = fills.orders, fills.entries.price, fills.exits.price
    side = orders.side.astype(np.float64)
    slippage, fees, borrow = trading_costs(fills)
    gross = side * orders.stake * (exit_price / entry_price - 1.0)
    # A short position can lose its margin, which is the stake, and no more: what a jump of the price costs beyond it is the lender's loss.
    gross = np.where(side < 0, np.maximum(gross, slippage + fees + borrow - orders.stake), gross)
    return Trades(
        symbols,
        np.full(len(fills), coin, np.int64),
        orders.signal,
        fills.candles.open_time[fills.entries.entry_at],
        fills.exits.exit_ms,
        orders.side,
        fills.exits.reason,
        entry_price,
        exit_price,
        orders.stake,
        gross,
        slippage,
        fees,
        borrow,
    )
