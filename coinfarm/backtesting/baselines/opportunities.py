"""Where a coin can be entered, and when its positions would end: what baselines choose from."""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.execution.entry_fills import fill_first
from coinfarm.backtesting.execution.liquidity import has_trades, next_traded
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.order_size import placed_stakes
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import Indices, Mask, PredictedCoin
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles


@dataclass(frozen=True, eq=False)
class Opportunities:
    """The predictions of one coin at which an order of one side can be placed, every column `(n,)`, in order of time.

    `signal` is the candle at whose close the order is placed, and `room` the largest stake that is placed there. `entry_at` is the candle
    of the first fill, at `price`, or that in which an order that is not `filled` is cancelled.
    """

    side: int
    signal: Indices
    room: Values
    filled: Mask
    entry_at: Indices
    price: Values
    valid_candles: int
    is_limit: bool

    def __len__(self) -> int:
        return len(self.signal)

    def orders(self, rows: Indices, hold: Indices, stake: Values) -> Orders:
        """Orders at some of the opportunities, whose positions are closed after exactly `hold` candles."""
        never, price = np.full(len(rows), np.inf), self.price[rows] if self.is_limit else None
        side = np.full(len(rows), self.side, np.int8)
        stake = np.minimum(stake, self.room[rows])
        return Orders(self.signal[rows], side, never, never, hold, stake, price, self.valid_candles)


def find_opportunities(coin: PredictedCoin, strategy: Strategy, stake: float, side: int) -> Opportunities:
    """The opportunities for stakes of at most `stake`, and for positions of at least one candle."""
    candles, entry, market = coin.candles, strategy.entry, strategy.market.for_coin(coin.symbol)
    count, is_limit = len(coin), entry.order == "limit"
    never = np.full(count, np.inf)
    price = candles.columns.close[coin.signal] * (1.0 - side * entry.limit_offset_bps / 10_000.0) if is_limit else None
    orders = Orders(
        coin.signal,
        np.full(count, side, np.int8),
        never,
        never,
        np.ones(count, np.int64),
        np.full(count, stake),
        price,
        entry.valid_candles,
    )
    room = placed_stakes(candles, orders, market)
    last_traded = np.flatnonzero(has_trades(candles)).max(initial=-1)
    rows = np.flatnonzero((room > 0.0) & (coin.signal + entry.valid_candles + 1 <= last_traded))
    orders = orders.rows(rows)
    entries = fill_first(candles, orders)
    return Opportunities(
        side, orders.signal, room[rows], entries.filled, entries.entry_at, entries.first_price, entry.valid_candles, is_limit
    )


class ExitTimes:
    """The candles in which positions of one coin end that are closed at market after a number of candles."""

    def __init__(self, candles: Candles, market: Market) -> None:
        self.count = len(candles)
        self._following = next_traded(candles)
        self._room = np.append(market.volume_share_pct / 100.0 * candles.columns.volume, np.inf)

    def exit_of(self, entry_at: int, hold: int, amount: float) -> int:
        """`exit_at` of one position."""
        candle = self._following.item(min(entry_at + hold, self.count))
        while amount > (room := self._room.item(candle)):
            amount -= room
            candle = self._following.item(candle + 1)
        return candle

    def exit_at(self, entry_at: Indices, hold: Indices, amount: Values) -> Indices:
        """`(n,)`: the candle in which an amount of the coin is sold completely; the number of candles if that is after the last one."""
        candle: Indices = self._following[np.minimum(entry_at + hold, self.count)]
        left = amount - self._room[candle]
        rows = np.flatnonzero(left > 0.0)
        while len(rows):
            candle[rows] = self._following[candle[rows] + 1]
            left[rows] -= self._room[candle[rows]]
            rows = rows[left[rows] > 0.0]
        return candle
