"""The one number: the round-trip cost at which trading comes to nothing, and how far it may stray by chance."""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtest.period import Period
from coinfarm.backtest.sample_size import independent_count
from coinfarm.backtest.trades import Trades
from coinfarm.bootstrap import block_bootstrap_ratio, percentile_interval

LEVEL = 0.9
_BUCKETS_PER_BLOCK = 24


@dataclass(frozen=True)
class BreakEven:
    """`bps` is the round-trip cost, in basis points of what is staked, at which the profit is zero: the mean trade before costs, weighed
    by its stake. `low_bps` to `high_bps` holds 90 % of what the block bootstrap draws; `cost_bps` is what a round trip did cost. NaN where
    it cannot be told. `independent_trades` counts trades that overlap in time, in other coins, by their share of it.
    """

    bps: float
    low_bps: float
    high_bps: float
    cost_bps: float
    trades: int
    independent_trades: float


def break_even(trades: Trades, period: Period, samples: int, seed: int = 0) -> BreakEven:
    """Of the trades of a period. Days are resampled, all coins together, because what happens to one happens to the others."""
    staked = float(trades.stake.sum())
    if not staked:
        nothing = float("nan")
        return BreakEven(nothing, nothing, nothing, nothing, 0, 0.0)
    bucket_ms = period.block_ms // _BUCKETS_PER_BLOCK
    buckets = -(-(period.stop_ms - period.start_ms) // bucket_ms)
    at = np.clip((trades.entry_ms - period.start_ms) // bucket_ms, 0, buckets - 1)
    gross, stake = (np.bincount(at, values, minlength=buckets) for values in (trades.gross, trades.stake))
    low, high = float("nan"), float("nan")
    if buckets >= 2 * _BUCKETS_PER_BLOCK:
        low, high = percentile_interval(block_bootstrap_ratio(gross, stake, _BUCKETS_PER_BLOCK, samples, seed), LEVEL)
    return BreakEven(
        bps=1e4 * float(trades.gross.sum()) / staked,
        low_bps=1e4 * low,
        high_bps=1e4 * high,
        cost_bps=1e4 * float(trades.cost.sum()) / staked,
        trades=len(trades),
        independent_trades=independent_count(trades.entry_ms, trades.exit_ms),
    )
