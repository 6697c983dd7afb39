"""The strategy's signals on other days."""

from dataclasses import replace

import numpy as np

from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.day import DAY_MS

_MIN_BLOCKS = 20


class SignalShuffle:
    """Orders of one coin as if its predictions were shuffled in blocks of a day (or a twentieth of a short period), which preserves the
    dependence within a day.
    """

    def __init__(self, coin: PredictedCoin, orders: Orders) -> None:
        self._coin, self._orders = coin, orders
        time_ms = coin.signal_ms
        block_ms = min(DAY_MS, max(1, int(time_ms[-1] - time_ms[0]) // _MIN_BLOCKS)) if len(coin) else DAY_MS
        self._bounds = np.concatenate([[0], np.flatnonzero(np.diff(time_ms // block_ms)) + 1, [len(coin)]])
        self._row = np.searchsorted(coin.signal, orders.signal)
        self._block = np.searchsorted(self._bounds, self._row, side="right") - 1

    def orders(self, generator: np.random.Generator) -> Orders:
        """The orders in a new order of the blocks."""
        lengths = np.diff(self._bounds)
        order = generator.permutation(len(lengths))
        new_start = np.empty(len(lengths), np.int64)
        new_start[order] = np.append(0, np.cumsum(lengths[order])[:-1])
        signal = self._coin.signal[self._row - self._bounds[self._block] + new_start[self._block]]
        limits = self._orders.limit_price
        if limits is not None:
            close = self._coin.candles.columns.close
            limits = limits * close[signal] / close[self._orders.signal]
        return replace(self._orders, signal=signal, limit_price=limits).rows(np.argsort(signal, kind="stable"))
