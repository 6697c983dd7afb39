"""The fill of one order after the other, on the few candles that it needs."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from coinfarm.backtesting.execution.fills import Fills, fill_orders
from coinfarm.backtesting.execution.liquidity import has_trades
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.candles.candles import Candles

_TRADED_CANDLES = 16
"""The number of traded candles after the horizon to begin with: more than an entry is spread over."""


class SingleFill(NamedTuple):
    """The fill of one order. `entry_at` is the index of the candle of its first fill, or that in which it is cancelled, `entry_ms` its open
    time, `end_ms` that of the candle in which the position ends; `stake` is what was placed.
    """

    filled: bool
    entry_at: int
    entry_ms: int
    first_price: float
    stake: float
    end_ms: int


class SingleFills:
    """Fills orders as `fill_orders` does, one at a time."""

    def __init__(self, candles: Candles, market: Market) -> None:
        self._candles, self._market = candles, market.for_coin(candles.symbol)
        self._traded = np.flatnonzero(has_trades(candles))

    def fill(self, order: Orders) -> SingleFill | None:
        """None if the order is too small to be placed, or may end after the last candle."""
        signal = int(order.signal[0])
        first = max(0, signal + 1 - self._market.trailing_candles)
        due = int(np.searchsorted(self._traded, signal + order.valid_candles + int(order.hold[0])))
        ahead, last = _TRADED_CANDLES, len(self._traded) - 1
        while due <= last:
            # The result is that of all candles if the position has ended before the last candle of the part.
            at = min(due + ahead, last)
            part = self._candles[first:] if at == last else self._candles[first : int(self._traded[at]) + 1]
            fills = fill_orders(part, replace(order, signal=order.signal - first), self._market)
            if not len(fills):
                return None
            if at == last or first + int(fills.exit_at[0]) < self._traded[at]:
                return _single(fills, first)
            ahead *= 8
        return None


def _single(fills: Fills, first: int) -> SingleFill:
    entry_at, times = int(fills.entries.entry_at[0]), fills.candles.open_time
    return SingleFill(
        bool(fills.filled[0]),
        first + entry_at,
        int(times[entry_at]),
        float(fills.entries.first_price[0]),
        float(fills.orders.stake[0]),
        int(times[fills.exit_at[0]]),
    )
