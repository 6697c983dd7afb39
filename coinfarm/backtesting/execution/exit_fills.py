"""Fills of exit orders, vectorised."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.execution.entry_fills import NEGLIGIBLE_SHARE, EntryFills
from coinfarm.backtesting.execution.liquidation import liquidation_price
from coinfarm.backtesting.execution.liquidity import has_trades, next_traded
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.trades import HORIZON, LIQUIDATION, STOP, TAKE_PROFIT
from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles

_ORDERS_AT_ONCE = 30_000


@dataclass(frozen=True, eq=False)
class ExitFills:
    """Exits, every column `(n,)`; of entries that are not filled, without meaning.

    `exit_at` is the candle of the last fill, and `exit_ms` the latest time at which it was made. `reason` is what closed the position.
    `limit_value` and `market_value` are the proceeds of one unit of the coin from take-profit and from market orders, without slippage:
    together they are the average price.
    """

    exit_at: Indices
    exit_ms: Times
    reason: NDArray[np.int8]
    limit_value: Values
    market_value: Values

    @property
    def price(self) -> Values:
        return self.limit_value + self.market_value

    def rows(self, chosen: Mask | Indices | slice) -> "ExitFills":
        return ExitFills(*(column[chosen] for column in vars(self).values()))


def fill_exits(candles: Candles, orders: Orders, entries: EntryFills, market: Market, *, at_any_volume: bool = False) -> ExitFills:
    """The fills of the exits of orders that end within the candles; where a candle does not show what happened first, the worse is assumed.

    A position ends at its stop, at its take-profit, when it is liquidated, or at the open of its horizon. Each fill takes at most a share
    of its candle's volume. The rest of a take-profit order stays open. The rest of a market order is filled in the next traded candles at
    their worst price, which is never better than that of the first fill, and in the last traded candle at any volume.
    """
    following = next_traded(candles)
    due = following[np.minimum(entries.entry_at + orders.hold, len(candles) - 1)]
    room = np.full(len(candles), np.inf) if at_any_volume else market.volume_share_pct / 100.0 * candles.columns.volume
    exits = _Exits(candles, orders, entries, due, room)
    for side in (1, -1):
        prices = _SidePrices(candles, side)
        for first in range(0, len(orders), _ORDERS_AT_ONCE):
            part = slice(first, first + _ORDERS_AT_ONCE)
            rows = first + np.flatnonzero((orders.side[part] == side) & entries.filled[part])
            exits.follow(rows, prices, market)
    return exits.close_at_market(following)


class _SidePrices:
    """Prices from the point of view of one side: negated for short positions, so that their stop is below the entry price, too."""

    def __init__(self, candles: Candles, side: int) -> None:
        columns, traded = candles.columns, has_trades(candles)
        high, low = (columns.high, columns.low) if side > 0 else (columns.low, columns.high)
        self.side = side
        self.open = side * columns.open
        # Nothing can be filled in a candle without trades.
        self.best = np.where(traded, side * high, -np.inf)
        self.worst = np.where(traded, side * low, np.inf)


class _Exits:
    """The exits as they are found. `left` is the share of each position that is open, `price` that of the market order that closes it."""

    def __init__(self, candles: Candles, orders: Orders, entries: EntryFills, due: Indices, room: Values) -> None:
        self.candles, self.orders, self.entries = candles, orders, entries
        self.room = room
        self.exit_at = due
        self.price = candles.columns.open[np.minimum(due, len(candles) - 1)]
        self.reason = np.full(len(orders), HORIZON, np.int8)
        self.left = np.ones(len(orders))
        self.limit_value = np.zeros(len(orders))

    def follow(self, rows: Indices, prices: _SidePrices, market: Market) -> None:
        """Find the stops, take-profits and liquidations of orders of one side, candle by candle up to their horizons."""
        side, first_price = prices.side, self.entries.first_price[rows]
        stop = side * first_price * (1.0 - side * self.orders.stop_pct[rows] / 100.0)
        take = side * first_price * (1.0 + side * self.orders.take_pct[rows] / 100.0)
        if side < 0:
            ruin = -liquidation_price(first_price, market)
            stop = np.maximum(stop, ruin)
            at_ruin = rows[-self.price[rows] <= ruin]
            self.reason[at_ruin] = LIQUIDATION
        bounded = np.isfinite(stop) | np.isfinite(take)
        rows, stop, take = rows[bounded], stop[bounded], take[bounded]
        candle, left = self.entries.entry_at[rows], self.orders.hold[rows]
        # The price may have been beyond the take-profit before it came to the limit of the entry.
        take_possible = self.orders.limit_price is None
        while len(rows):
            open_price = prices.open[candle]
            stopped = prices.worst[candle] <= stop
            # A limit order is sure to be filled only if the price went beyond it: at the price itself, earlier orders come first in the
            # queue. If one candle reaches both stop and take-profit, the stop is assumed to have come first.
            taken = (prices.best[candle] > take) & ~stopped if take_possible else np.zeros(len(rows), np.bool_)
            # If the price jumps past the stop, it is filled at the open, which is worse; past the take-profit, no better than its price.
            closed, fill = rows[stopped], np.minimum(open_price, stop)[stopped]
            self.exit_at[closed], self.price[closed] = candle[stopped], side * fill
            self.reason[closed] = STOP
            if side < 0:
                self.reason[closed[fill <= -liquidation_price(self.entries.first_price[closed], market)]] = LIQUIDATION
            taken[taken] = self._take(rows[taken], candle[taken], side * take[taken])
            still_open = ~(stopped | taken) & (left > 1)
            rows, stop, take, candle, left = (
                rows[still_open],
                stop[still_open],
                take[still_open],
                candle[still_open] + 1,
                left[still_open] - 1,
            )
            take_possible = True

    def _take(self, rows: Indices, candle: Indices, price: Values) -> Mask:
        """Fill take-profit orders as far as the candles' volumes allow; return whether they are complete."""
        filled = np.minimum(self.left[rows], self._room(rows, candle))
        self.limit_value[rows] += filled * price
        self.left[rows] -= filled
        complete: Mask = self.left[rows] <= NEGLIGIBLE_SHARE
        closed = rows[complete]
        self.left[closed] = 0.0
        self.exit_at[closed], self.reason[closed] = candle[complete], TAKE_PROFIT
        return complete

    def close_at_market(self, following: Indices) -> ExitFills:
        """Fill the market orders that close the positions, and return all fills."""
        candles = self.candles
        at_open = (self.reason == HORIZON) & (self.left > 0.0)
        at = np.minimum(self.exit_at, len(candles) - 1)
        filled = np.minimum(self.left, self._room(slice(None), at))
        market_value = filled * self.price
        left = self.left - filled
        rows = np.flatnonzero((left > NEGLIGIBLE_SHARE) & self.entries.filled)
        at_open[rows] = False
        sells = self.orders.side[rows] > 0
        left, candle = left[rows], self.exit_at[rows]
        while len(rows):
            ahead = following[candle + 1]
            last = ahead >= len(candles)
            candle = np.where(last, candle, ahead)
            first, low, high = self.price[rows], candles.columns.low[candle], candles.columns.high[candle]
            price = np.where(sells, np.minimum(first, low), np.maximum(first, high))
            filled = np.where(last, left, np.minimum(left, self._room(rows, candle)))
            market_value[rows] += filled * price
            left = left - filled
            self.exit_at[rows] = candle
            more = left > NEGLIGIBLE_SHARE
            rows, sells, left, candle = rows[more], sells[more], left[more], candle[more]
        exit_ms = candles.open_time[np.minimum(self.exit_at, len(candles) - 1)] + np.where(at_open, 0, candles.interval_ms)
        return ExitFills(self.exit_at, exit_ms, self.reason, self.limit_value, market_value)

    def _room(self, rows: Indices | slice, candle: Indices) -> Values:
        """The share of each position that the candle's volume allows to fill."""
        room: Values = self.room[candle] * self.entries.price[rows] / self.orders.stake[rows]
        return room
