"""What a step rule sees at a prediction: the past of one coin, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.predicted_coin import Indices, Mask, PredictedCoin
from coinfarm.candles.arrays import Times, Values
from coinfarm.outputs import OUTPUT_COLUMNS


class PastCandles(NamedTuple):
    """The candles up to the signal's, each column `(n,)`, oldest first. Missing candles are filled with the last close, and marked."""

    open_time: Times
    open: Values
    high: Values
    low: Values
    close: Values
    volume: Values
    filled: Mask


class OpenPosition(NamedTuple):
    """An open position. `entry_time` is the open time of the candle of its first fill, in milliseconds UTC, `entry_price` the price of that
    fill, without slippage; `side` is 1 (long) or -1 (short); `stake` is in the quote currency.
    """

    entry_time: int
    entry_price: float
    side: int
    stake: float


@dataclass(frozen=True, slots=True)
class StepView:
    """What is known at a prediction. Arrays are read-only.

    `close_time` is the time of the prediction, in milliseconds UTC. `predictions` has the columns `close_time`, `filled_candles`,
    `max_rise_pct`, `max_decline_pct` and `end_change_pct` of the coin's predictions up to this one, which is the last row. `positions` are
    the coin's open positions, oldest first; `waiting_orders` is the number of its limit orders that are not filled yet.
    """

    symbol: str
    close_time: int
    candles: PastCandles
    predictions: Mapping[str, NDArray[np.generic]]
    positions: tuple[OpenPosition, ...]
    waiting_orders: int

    @property
    def position(self) -> OpenPosition | None:
        """The oldest open position, None if there is none."""
        return self.positions[0] if self.positions else None


class PastViews:
    """The views of one coin, in order of time.

    Views are slices of arrays into which each row is copied when its time has come, so not even the memory behind them has later data.
    """

    def __init__(self, coin: PredictedCoin) -> None:
        candles = coin.candles
        self._symbol = coin.symbol
        self._signal: Indices = coin.signal
        self._candles = _PastColumns(dict(zip(PastCandles._fields, (candles.open_time, *candles.columns, candles.filled), strict=True)))
        close_time = coin.signal_ms + candles.interval_ms - 1
        predicted = dict(zip(OUTPUT_COLUMNS, coin.predicted_pct.T, strict=True))
        self._predictions = _PastColumns({"close_time": close_time, "filled_candles": coin.filled_candles, **predicted})

    def at(self, row: int, positions: tuple[OpenPosition, ...], waiting_orders: int) -> StepView:
        """The view at the prediction `row`, not before that of an earlier call."""
        candles = self._candles.up_to(int(self._signal[row]))
        predictions = self._predictions.up_to(row)
        return StepView(self._symbol, int(predictions["close_time"][-1]), PastCandles(**candles), predictions, positions, waiting_orders)


class _PastColumns:
    def __init__(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        self._all = columns
        self._past = {name: np.zeros_like(column) for name, column in columns.items()}
        self._shown = {name: column.view() for name, column in self._past.items()}
        for column in self._shown.values():
            column.flags.writeable = False
        self._known = 0

    def up_to(self, row: int) -> dict[str, NDArray[Any]]:
        new = slice(self._known, row + 1)
        for name, column in self._past.items():
            column[new] = self._all[name][new]
        self._known = row + 1
        return {name: column[: row + 1] for name, column in self._shown.items()}
