"""The break-even cost: the round-trip cost at which the profit is zero, with its bootstrap interval."""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.sample_size import independent_count
from coinfarm.backtesting.trades import Trades
from coinfarm.bootstrap import block_bootstrap_ratio, percentile_interval

LEVEL = 0.9
_BUCKETS_PER_BLOCK = 24


@dataclass(frozen=True)
class BreakEven:
    """`bps` is the round-trip cost, in basis points of the stake, at which the profit is zero: the mean trade before costs, weighted by
    stake. `low_bps` to `high_bps` is its 90 % interval, `cost_bps` the actual round-trip cost. NaN if undefined. `independent_trades`
    is the effective number of trades: overlapping ones count by their uniqueness.
    """

    bps: float
    low_bps: float
    high_bps: float
    cost_bps: float
    trades: int
    independent_trades: float


def break_even(trades: Trades, period: BacktestPeriod, samples: int, seed: int = 0) -> BreakEven:
    """The break-even cost of the trades of a period. Days are resampled with all coins together, because coins move together."""
    staked = float(trades.stake.sum())
    if not staked:
        nan = float("nan")
        return BreakEven(nan, nan, nan, nan, 0, 0.0)
    bucket_ms = period.block_ms // _BUCKETS_PER_BLOCK
    buckets = -(-(period.stop_ms - period.start_ms) // bucket_ms)
    bucket = np.clip((trades.entry_ms - period.start_ms) // bucket_ms, 0, buckets - 1)
    gross, stake = (np.bincount(bucket, values, minlength=buckets) for values in (trades.gross, trades.stake))
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
