"""Entry and exit fills of orders, vectorised.

The fills of one order depend only on the candles after it, not on other orders. So all orders are followed at once, candle by candle
through their horizons; `position_schedule` decides afterwards which of them are placed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.orders import Orders
from coinfarm.backtesting.position_schedule import Holdings
from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.backtesting.strategy import Market
from coinfarm.backtesting.trades import HORIZON, STOP, TAKE_PROFIT
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles

_ORDERS_AT_ONCE = 100_000


@dataclass(frozen=True, eq=False)
class Fills:
    """The fills of one coin's orders, each as if it were the only one, every column `(n,)`, as in `Trades`.

    `exit_at` is the index of the candle in which the position ends. Orders that are not filled are left out, and those whose horizon ends
    after the last candle.
    """

    candles: Candles
    orders: Orders
    exit_at: Indices
    exit_price: Values
    reason: NDArray[np.int8]
    stake: Values

    def __len__(self) -> int:
        return len(self.exit_at)

    @property
    def holdings(self) -> Holdings:
        return Holdings(self.orders.signal, self.exit_at, self.candles.open_time)

    def rows(self, chosen: Mask | Indices | slice) -> "Fills":
        return Fills(
            self.candles,
            self.orders.rows(chosen),
            self.exit_at[chosen],
            self.exit_price[chosen],
            self.reason[chosen],
            self.stake[chosen],
        )


def fill_orders(candles: Candles, orders: Orders, market: Market) -> Fills:
    """The fills of the orders on gap-free `candles`; where a candle does not show what happened first, the worse outcome is assumed."""
    stake = _stakes(candles, orders, market)
    traded_from = next_traded(candles)
    last = len(candles) - 1
    due = orders.signal + 1 + orders.hold
    # If the candles end before the horizon, only early exits would be known, which would bias the result: the order is left out.
    possible = (stake > 0) & (due <= last)
    possible[possible] = traded_from[due[possible]] <= last
    orders, stake, due = orders.rows(possible), stake[possible], due[possible]
    # Nothing was traded in a filled candle: an exit that is due in one waits for the next traded candle.
    exit_at = traded_from[due]
    exit_price = candles.columns.open[exit_at]
    reason = np.full(len(orders), HORIZON, np.int8)
    entry_price = candles.columns.open[orders.signal + 1]
    for side in (1, -1):
        prices = _SidePrices(candles, side)
        for first in range(0, len(orders), _ORDERS_AT_ONCE):
            part = first + np.flatnonzero(orders.side[first : first + _ORDERS_AT_ONCE] == side)
            stop = side * entry_price[part] * (1.0 - side * orders.stop_pct[part] / 100.0)
            take = side * entry_price[part] * (1.0 + side * orders.take_pct[part] / 100.0)
            prices.fill_exit_orders(part, orders, stop, take, exit_at, exit_price, reason)
    return Fills(candles, orders, exit_at, exit_price, reason, stake)


def next_traded(candles: Candles) -> Indices:
    """`(n + 1,)`: the first candle at or after each one in which something was traded; `n` if there is none."""
    count = len(candles)
    at = np.append(np.where(candles.filled, count, np.arange(count)), count)
    following: Indices = np.minimum.accumulate(at[::-1])[::-1]
    return following


def _stakes(candles: Candles, orders: Orders, market: Market) -> Values:
    """The stake that is filled at the next candle's open; 0 if the order is not filled."""
    entry_at = np.minimum(orders.signal + 1, len(candles) - 1)
    open_price, volume = candles.columns.open[entry_at], candles.columns.volume[entry_at]
    # No more than a share of the candle's volume: a larger order would move the price.
    stake = np.minimum(orders.stake, market.volume_share_pct / 100.0 * volume * open_price)
    # Nothing was traded in a filled candle: an order due in one is cancelled.
    stake[candles.filled[entry_at] | (stake < market.min_order) | (orders.signal + 1 >= len(candles))] = 0.0
    return stake


class _SidePrices:
    """Prices from the point of view of one side: negated for short positions, so that their stop is below the entry price, too."""

    def __init__(self, candles: Candles, side: int) -> None:
        columns = candles.columns
        high, low = (columns.high, columns.low) if side > 0 else (columns.low, columns.high)
        self.side = side
        self.open = side * columns.open
        # Nothing can be filled in a candle without trades.
        self.best = np.where(candles.filled, -np.inf, side * high)
        self.worst = np.where(candles.filled, np.inf, side * low)

    def fill_exit_orders(
        self,
        rows: Indices,
        orders: Orders,
        stop: Values,
        take: Values,
        exit_at: Indices,
        exit_price: Values,
        reason: NDArray[np.int8],
    ) -> None:
        """Overwrite `exit_at`, `exit_price` and `reason` of those orders `rows` whose stop or take-profit is filled before the horizon."""
        bounded = np.isfinite(stop) | np.isfinite(take)
        rows, stop, take = rows[bounded], stop[bounded], take[bounded]
        candle, left = orders.signal[rows] + 1, orders.hold[rows]
        while len(rows):
            open_price = self.open[candle]
            stopped = self.worst[candle] <= stop
            # A limit order is sure to be filled only if the price went beyond it: at the price itself, earlier orders come first in the
            # queue. If one candle reaches both stop and take-profit, the stop is assumed to have come first.
            taken = (self.best[candle] > take) & ~stopped
            # If the price jumps past the stop, it is filled at the open, which is worse; past the take-profit, no better than its price.
            price = np.where(stopped, np.minimum(open_price, stop), take)
            done = stopped | taken
            closed = rows[done]
            exit_at[closed] = candle[done]
            exit_price[closed] = self.side * price[done]
            reason[closed] = np.where(stopped[done], STOP, TAKE_PROFIT)
            still_open = ~done & (left > 1)
            rows, stop, take, candle, left = (
                rows[still_open],
                stop[still_open],
                take[still_open],
                candle[still_open] + 1,
                left[still_open] - 1,
            )
