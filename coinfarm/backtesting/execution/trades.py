"""Trades as columns."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Times, Values

STOP, TAKE_PROFIT, HORIZON, LIQUIDATION, RULE = range(5)
EXIT_REASONS = ("stop", "take profit", "horizon", "liquidation", "rule")


class Trade(NamedTuple):
    """One row of `Trades`."""

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
    borrow: float = 0.0


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades in order of entry, every column `(n,)`.

    `coin` is an index into `symbols`; `signal` is the index, among the coin's candles, of the one at whose close the order was placed.
    `entry_ms` is the open time of the candle in which the order was first filled, `exit_ms` the latest time at which the position was
    closed. `side` is 1 (long) or -1 (short); `reason` is an index into `EXIT_REASONS`. Prices are averages of what was filled, without
    slippage. `stake` is the amount bought or sold, `gross` the profit before costs, which for a short position is limited so that no more
    than the stake is lost; `slippage` and `fees` are the costs of entry and exit together, `borrow` is the interest on a short position;
    all in the quote currency.
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
    borrow: Values

    def __len__(self) -> int:
        return len(self.coin)

    @property
    def cost(self) -> Values:
        return self.slippage + self.fees + self.borrow

    @property
    def net(self) -> Values:
        return self.gross - self.cost

    def rows(self, chosen: Mask | Indices | slice) -> "Trades":
        return Trades(self.symbols, *(getattr(self, name)[chosen] for name in Trade._fields))

    def __getitem__(self, at: int) -> Trade:
        return Trade(*(getattr(self, name)[at].item() for name in Trade._fields))

    @classmethod
    def concatenate(cls, parts: "list[Trades]") -> "Trades":
        """In order of entry, then of coin and signal."""
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Trade._fields]
        order = np.lexsort((columns[1], columns[0], columns[2]))
        return cls(parts[0].symbols, *(column[order] for column in columns))

    @classmethod
    def from_rows(cls, symbols: tuple[str, ...], rows: list[Trade]) -> "Trades":
        """In order of entry, then of coin and signal."""
        columns = list(zip(*rows, strict=True)) or [()] * len(Trade._fields)
        dtypes: list[Any] = [np.int64] * 4 + [np.int8] * 2 + [np.float64] * 7
        arrays: list[Any] = [np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)]
        return cls.concatenate([cls(symbols, *arrays)])
