"""Trades from fills, under the limits on open positions and with the costs of trading.

`coinfarm.backtesting.reference_simulation` is a slow but simple implementation of the same, candle by candle.
"""

from collections.abc import Sequence

import numpy as np

from coinfarm.backtesting.fills import Fills
from coinfarm.backtesting.position_schedule import schedule
from coinfarm.backtesting.predicted_coin import Mask
from coinfarm.backtesting.strategy import Market
from coinfarm.backtesting.trades import HORIZON, TAKE_PROFIT, Trades
from coinfarm.candles.arrays import Values


def simulate_trades(
    symbols: tuple[str, ...], fills: Sequence[Fills], market: Market, positions_per_coin: int = 1, max_positions: int | None = None
) -> Trades:
    """The trades of all coins, in the order of `symbols`, of those orders that `schedule` accepts."""
    taken = schedule([each.holdings for each in fills], positions_per_coin, max_positions)
    return Trades.concatenate(
        [trades_from_fills(symbols, coin, each.rows(rows), market) for coin, (each, rows) in enumerate(zip(fills, taken))]
    )


def trades_from_fills(symbols: tuple[str, ...], coin: int, fills: Fills, market: Market) -> Trades:
    """All of the fills as trades of the coin with that index in `symbols`."""
    candles, orders = fills.candles, fills.orders
    side = orders.side.astype(np.float64)
    entry_price, exit_price, stake = candles.columns.open[orders.signal + 1], fills.exit_price, fills.stake
    slippage, fees = trading_costs(side, entry_price, exit_price, stake, fills.reason != TAKE_PROFIT, market)
    # At the horizon a position ends at the candle's open. The time within a candle at which a stop or take-profit was filled is unknown.
    open_in_exit_candle_ms = np.where(fills.reason == HORIZON, 0, candles.interval_ms)
    return Trades(
        symbols,
        np.full(len(fills), coin, np.int64),
        orders.signal,
        candles.open_time[orders.signal + 1],
        candles.open_time[fills.exit_at] + open_in_exit_candle_ms,
        orders.side,
        fills.reason,
        entry_price,
        exit_price,
        stake,
        side * stake * (exit_price / entry_price - 1.0),
        slippage,
        fees,
    )


def trading_costs(
    side: Values, entry_price: Values, exit_price: Values, stake: Values, exit_at_market: Mask, market: Market
) -> tuple[Values, Values]:
    """Slippage and fees of round trips, `(n,)` each. `exit_at_market`: the exit was a market order, not a limit order."""
    slip = market.slippage_bps / 10_000.0
    amount = stake / entry_price
    exit_slip = np.where(exit_at_market, slip, 0.0)
    slippage = amount * (entry_price * slip + exit_price * exit_slip)
    # Both sides pay fees. Entries, stops and exits at the horizon are takers; a take-profit is a maker.
    exit_fee = np.where(exit_at_market, market.taker_fee_bps, market.maker_fee_bps) / 10_000.0
    entry_fees = entry_price * (1.0 + side * slip) * market.taker_fee_bps / 10_000.0
    exit_fees = exit_price * (1.0 - side * exit_slip) * exit_fee
    return slippage, amount * (entry_fees + exit_fees)
