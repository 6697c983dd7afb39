"""Entry and exit fills of orders, vectorised.

The fills of one order depend only on the candles after it, not on other orders. So all orders are followed at once, candle by candle
through their horizons; `position_schedule` decides afterwards which of them are placed.
"""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.execution.entry_fills import EntryFills, fill_first, larger_than_first_candle, spread_entries
from coinfarm.backtesting.execution.exit_fills import ExitFills, fill_exits
from coinfarm.backtesting.execution.liquidity import has_trades
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.order_size import placed_stakes, slippage_shares
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.position_schedule import Holdings
from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles


@dataclass(frozen=True, eq=False)
class Fills:
    """The fills of one coin's orders, each as if it were the only one, every column `(n,)`.

    `market` has the coin's costs, `orders` the stakes that were placed; `slippage` is a share of the price. Orders that are cancelled, for
    which `filled` is False, are included: they take up a place until then. Left out are orders that are too small to be placed, and those
    that may end after the last candle.
    """

    candles: Candles
    market: Market
    orders: Orders
    slippage: Values
    entries: EntryFills
    exits: ExitFills
    exit_at: Indices

    def __len__(self) -> int:
        return len(self.orders)

    @property
    def filled(self) -> Mask:
        return self.entries.filled

    @property
    def holdings(self) -> Holdings:
        return Holdings(self.orders.signal, self.exit_at, self.orders.stake, self.candles.open_time)

    def rows(self, chosen: Mask | Indices | slice) -> "Fills":
        return Fills(
            self.candles,
            self.market,
            self.orders.rows(chosen),
            self.slippage[chosen],
            self.entries.rows(chosen),
            self.exits.rows(chosen),
            self.exit_at[chosen],
        )


def fill_orders(candles: Candles, orders: Orders, market: Market) -> Fills:
    """The fills of the orders on gap-free `candles`."""
    rows, stake = placed_rows(candles, orders, market)
    return fill_placed(candles, orders.rows(rows).with_stake(stake), market)


def placed_rows(candles: Candles, orders: Orders, market: Market) -> tuple[Indices, Values]:
    """The rows of the orders that are placed, and their stakes."""
    # If the candles end before the horizon, only early exits would be known, which would bias the result: the order is left out.
    last_traded = np.flatnonzero(has_trades(candles)).max(initial=-1)
    rows = np.flatnonzero(orders.signal + orders.valid_candles + orders.hold <= last_traded)
    stake = placed_stakes(candles, orders.rows(rows), market.for_coin(candles.symbol))
    placed = stake > 0.0
    return rows[placed], stake[placed]


def fill_placed(candles: Candles, orders: Orders, market: Market) -> Fills:
    """The fills of orders that are placed with their full stakes."""
    market = market.for_coin(candles.symbol)
    entries = _entries(candles, orders, market)
    exits = fill_exits(candles, orders, entries, market)
    exit_at = np.where(entries.filled, exits.exit_at, entries.entry_at)
    return Fills(candles, market, orders, slippage_shares(candles, orders, market), entries, exits, exit_at)


def _entries(candles: Candles, orders: Orders, market: Market) -> EntryFills:
    first = fill_first(candles, orders)
    rows = larger_than_first_candle(candles, orders, first, market)
    if not len(rows):
        return first
    larger, larger_first = orders.rows(rows), first.rows(rows)
    # Nothing is bought after the first exit, nor in the candle at whose open the horizon ends.
    first_exit = fill_exits(candles, larger, larger_first, market, at_any_volume=True).exit_at
    until = np.minimum(first_exit, larger_first.entry_at + larger.hold - 1)
    return first.replaced(rows, spread_entries(candles, larger, larger_first, until, market))
