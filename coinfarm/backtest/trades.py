"""Trades as columns."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtest.coin import Indices, Mask
from coinfarm.candles.arrays import Times, Values

STOP, TAKE_PROFIT, HORIZON = range(3)
REASONS = ("stop", "take profit", "horizon")


class Trade(NamedTuple):
    """One row of `Trades`, for what goes trade by trade."""

    coin: int
    signal: int
    entry_ms: int
    exit_ms: int
    side: int
    reason: int
    entry_price: float
    exit_price: float
    stake: float
    gross: float
    slippage: float
    fees: float


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades in order of their entry, every column `(n,)`.

    `coin` is an index into `symbols`, `signal` the index of the candle at whose close the coin's trade was decided. `side` is 1 for long,
    -1 for short; `reason` why it was left. `entry_ms` is when the candle opened at whose open it was filled, `exit_ms` when it was over at
    the latest. Prices are the market's, without slippage. `stake` is what was bought or sold, `gross` the profit before costs, `slippage`
    and `fees` the costs of both sides together, all in the quote currency.
    """

    symbols: tuple[str, ...]
    coin: Indices
    signal: Indices
    entry_ms: Times
    exit_ms: Times
    side: NDArray[np.int8]
    reason: NDArray[np.int8]
    entry_price: Values
    exit_price: Values
    stake: Values
    gross: Values
    slippage: Values
    fees: Values

    def __len__(self) -> int:
        return len(self.coin)

    @property
    def cost(self) -> Values:
        return self.slippage + self.fees

    @property
    def net(self) -> Values:
        return self.gross - self.cost

    def rows(self, chosen: Mask | Indices | slice) -> "Trades":
        return Trades(self.symbols, *(getattr(self, name)[chosen] for name in Trade._fields))

    def __getitem__(self, at: int) -> Trade:
        return Trade(*(getattr(self, name)[at].item() for name in Trade._fields))

    @classmethod
    def together(cls, parts: "list[Trades]") -> "Trades":
        """The trades of several, in order of their entry, then of their coin."""
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Trade._fields]
        order = np.lexsort((columns[0], columns[2]))
        return cls(parts[0].symbols, *(column[order] for column in columns))

    @classmethod
    def from_rows(cls, symbols: tuple[str, ...], rows: list[Trade]) -> "Trades":
        """In order of their entry, then of their coin."""
        columns = list(zip(*rows, strict=True)) or [()] * len(Trade._fields)
        kinds: list[Any] = [np.int64] * 4 + [np.int8] * 2 + [np.float64] * 6
        typed: list[Any] = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        return cls.together([cls(symbols, *typed)])
