"""The number, durations and stakes of trades that a baseline must match."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.candles.arrays import Values


@dataclass(frozen=True, eq=False)
class TradePlan:
    """The strategy's trades, every column `(n,)`, in order of time: their coins, signal candles, sides, numbers of candles and stakes."""

    coin: Indices
    signal: Indices
    side: NDArray[np.int8]
    hold: Indices
    stake: Values

    def __len__(self) -> int:
        return len(self.coin)

    @classmethod
    def of(cls, trades: Trades, interval_ms: int) -> "TradePlan":
        """The plan of trades on candles of that interval."""
        hold = np.maximum(1, (trades.exit_ms - trades.entry_ms) // interval_ms)
        return cls(trades.coin, trades.signal, trades.side, hold, trades.stake)

    def rows(self, chosen: Indices) -> "TradePlan":
        return TradePlan(*(column[chosen] for column in vars(self).values()))


def sequences(trades: Trades, limits: PositionLimits) -> list[Indices]:
    """The trades in as few sequences as possible without overlaps, by coin, or for all coins if their positions are limited together."""
    coins = len(trades.symbols)
    separate = limits.total is None or limits.total >= coins * limits.per_coin
    if separate and limits.total_exposure is None:
        groups: Sequence[Indices] = [np.flatnonzero(trades.coin == coin) for coin in range(coins)]
    else:
        groups = [np.arange(len(trades))]
    return [np.array(sequence, np.int64) for group in groups for sequence in _without_overlaps(trades, group)]


def _without_overlaps(trades: Trades, rows: Indices) -> list[list[int]]:
    found: list[list[int]] = []
    open_until: list[tuple[int, int]] = []
    for row, entry_ms, exit_ms in zip(rows.tolist(), trades.entry_ms[rows].tolist(), trades.exit_ms[rows].tolist(), strict=True):
        if open_until and open_until[0][0] <= entry_ms:
            _, sequence = heapq.heappop(open_until)
        else:
            sequence = len(found)
            found.append([])
        found[sequence].append(row)
        heapq.heappush(open_until, (exit_ms, sequence))
    return found
