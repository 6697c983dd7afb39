"""Fills of entry orders, vectorised."""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.execution.liquidity import has_trades, next_traded
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles

MAX_ENTRY_CANDLES = 5
"""The number of traded candles that an entry is spread over. A stake is at most a share of a usual candle's volume, so more are needed only
where the trading has nearly stopped, and nobody would wait longer for a prediction of the next candles."""
NEGLIGIBLE_SHARE = 1e-12
"""A rest of an order that is smaller than this is rounding."""


@dataclass(frozen=True, eq=False)
class EntryFills:
    """Entries, every column `(n,)`. A filled entry always has its full stake.

    `entry_at` is the candle of the first fill, or that in which an order that is not filled is cancelled. `first_price` is the price of the
    first fill, `price` the average, without slippage; `limit_share` is the share of the stake that was filled by a limit order.
    """

    filled: Mask
    entry_at: Indices
    first_price: Values
    price: Values
    limit_share: Values

    def rows(self, chosen: Mask | Indices | slice) -> "EntryFills":
        return EntryFills(*(column[chosen] for column in vars(self).values()))

    def replaced(self, rows: Indices, others: "EntryFills") -> "EntryFills":
        """The same entries, with others in these rows."""
        columns = []
        for column, other in zip(vars(self).values(), vars(others).values(), strict=True):
            columns.append(column.copy())
            columns[-1][rows] = other
        return EntryFills(*columns)


def fill_first(candles: Candles, orders: Orders) -> EntryFills:
    """The fills of orders that are all placed, and end within the candles, as if their first candles had enough volume.

    Market orders are filled at the open of the next candle, limit orders at their own price.
    """
    if orders.limit_price is None:
        entry_at = orders.signal + 1
        filled, price = has_trades(candles)[entry_at], candles.columns.open[entry_at]
        return EntryFills(filled, entry_at, price, price, np.zeros(len(orders)))
    entry_at, filled = _reached(candles, orders, orders.limit_price)
    return EntryFills(filled, entry_at, orders.limit_price, orders.limit_price, np.ones(len(orders)))


def larger_than_first_candle(candles: Candles, orders: Orders, first: EntryFills, market: Market) -> Indices:
    """The rows of entries that are larger than the share of their first candle's volume."""
    room = market.volume_share_pct / 100.0 * candles.columns.volume[first.entry_at] * first.price
    return np.flatnonzero(first.filled & (orders.stake - room > NEGLIGIBLE_SHARE * orders.stake))


def spread_entries(candles: Candles, orders: Orders, first: EntryFills, until: Indices, market: Market) -> EntryFills:
    """The fills of entries that are larger than their first candles allow.

    The first candle fills a share of its volume. The rest is filled by market orders in the next traded candles, up to the same share, at
    their worst price, which is never better than the first one. What is left after `MAX_ENTRY_CANDLES`, or after candle `until`, `(n,)`, in
    which the position begins to be closed, is filled at the worst of their prices. To cancel it instead would make positions smaller where
    trading dries up, and so give these trades less weight in the result.
    """
    share, following, last = market.volume_share_pct / 100.0, next_traded(candles), len(candles) - 1
    buys, candle = orders.side > 0, first.entry_at
    room = share * candles.columns.volume[candle] * first.price
    amount, left, worst = room / first.price, orders.stake - room, first.price
    for _ in range(MAX_ENTRY_CANDLES - 1):
        candle = following[np.minimum(candle, last) + 1]
        exists, at = candle <= until, np.minimum(candle, last)
        price = np.where(buys, np.maximum(candles.columns.high[at], first.price), np.minimum(candles.columns.low[at], first.price))
        price = np.where(exists, price, first.price)
        worst = np.where(buys, np.maximum(worst, price), np.minimum(worst, price))
        spent = np.where(exists, np.minimum(left, share * candles.columns.volume[at] * price), 0.0)
        amount += spent / price
        left = np.where(left - spent > NEGLIGIBLE_SHARE * orders.stake, left - spent, 0.0)
    average = orders.stake / (amount + left / worst)
    return EntryFills(first.filled, first.entry_at, first.first_price, average, first.limit_share * room / orders.stake)


def _reached(candles: Candles, orders: Orders, limit_price: Values) -> tuple[Indices, Mask]:
    """The candle in which the price goes beyond each limit, or the last one in which it is valid; and whether it does."""
    traded, low, high = has_trades(candles), candles.columns.low, candles.columns.high
    entry_at, filled = orders.signal + orders.valid_candles, np.zeros(len(orders), np.bool_)
    rows = np.arange(len(orders))
    for ahead in range(1, orders.valid_candles + 1):
        candle, limit = orders.signal[rows] + ahead, limit_price[rows]
        # At the limit itself, earlier orders come first in the queue.
        beyond = traded[candle] & np.where(orders.side[rows] > 0, low[candle] < limit, high[candle] > limit)
        entry_at[rows[beyond]], filled[rows[beyond]] = candle[beyond], True
        rows = rows[~beyond]
    return entry_at, filled
