"""The break-even cost: the round-trip cost at which the profit is zero, with what the daily profits say about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.daily_profit import MarkedTrades
from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.edge_inference import EdgeInference, infer_edge, no_inference
from coinfarm.backtesting.inference.sample_size import independent_count


@dataclass(frozen=True)
class BreakEven:
    """`bps` is the round-trip cost, in basis points of the stake, at which the profit is zero: the mean trade before costs, weighted by
    stake. `cost_bps` is the actual round-trip cost. NaN if undefined. `independent_trades` is the effective number of trades: overlapping
    ones count by their uniqueness. `inference` is about the net edge, `bps - cost_bps`.
    """

    bps: float
    cost_bps: float
    trades: int
    independent_trades: float
    inference: EdgeInference

    @property
    def low_bps(self) -> float:
        """The lower end of the 90 % interval."""
        return self.cost_bps + self.inference.low_bps

    @property
    def high_bps(self) -> float:
        return self.cost_bps + self.inference.high_bps


def break_even(trades: Trades, marked: MarkedTrades, samples: int, seed: int = 0, tried: Sequence[DailyProfit] = ()) -> BreakEven:
    """The break-even cost of trades with these daily profits. `tried` are the daily profits, over the same days, of other strategies that
    were tried on the same predictions.
    """
    staked = float(trades.stake.sum())
    if not staked:
        return BreakEven(nan, nan, 0, 0.0, no_inference(len(marked.gross), 0))
    net, stake = ([marked.net, *(each.net for each in tried)], [marked.stake, *(each.stake for each in tried)])
    return BreakEven(
        bps=1e4 * float(trades.gross.sum()) / staked,
        cost_bps=1e4 * float(trades.cost.sum()) / staked,
        trades=len(trades),
        independent_trades=independent_count(trades.entry_ms, trades.exit_ms),
        inference=infer_edge(DailyProfit(np.column_stack(net), np.column_stack(stake)), samples, seed),
    )
