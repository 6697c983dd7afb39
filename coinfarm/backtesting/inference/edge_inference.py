"""What a backtest's daily profits say about the edge: an interval, p values, and what this much data could have found."""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from coinfarm.backtesting.inference.edge import DailyProfit, bias_factor, estimate_edges, resampled_t
from coinfarm.bootstrap.block_length import circular_block_length
from coinfarm.candles.arrays import Values

LEVEL = 0.9
"""The level of confidence intervals."""
MAX_P_VALUE = 0.025
"""Of an edge that counts as real: half of the 5 % that is promised, because variants that lose are not counted as tries (see
`adjusted_p_value`), which at worst doubles the share of false verdicts."""
MAX_DEPENDENT_P_VALUE = 0.045
"""The same if days depend on each other as strongly as `PERSISTENCE` says."""
MIN_EFFECTIVE_BLOCKS = 10
POWER = 0.8
_MAX_WIDTH = 1.4
"""Of an interval, relative to that of independent days, up to which it is corrected for dependence that the days do not show."""
_DEPENDENT_BLOCK = 3
"""Days show dependence if the automatic block length is at least this long: then the correction is applied in full."""
_MIN_BLOCKS = 6
"""The minimum number of blocks in a resample."""
MIN_DAYS = 2 * _MIN_BLOCKS
MIN_TRADED_DAYS = 3
"""To estimate anything at all."""
_Z_95 = 1.645


@dataclass(frozen=True)
class EdgeInference:
    """The net edge in basis points of the stake, with its 90 % interval; NaN (with p values of 1) with trades on fewer than
    `MIN_TRADED_DAYS` days, or in a period shorter than `MIN_DAYS`.

    `p_value` is the probability of at least this edge if the true one is zero, and `loss_p_value` that of at most this edge;
    `adjusted_p_value` also counts the other strategies that were tried. `effective_blocks` is the number of independent blocks of days
    that the data are worth, `block_days` the length of the bootstrap's blocks. `largest_day_share` is the share of the profit (or loss)
    that the best (or worst) day made; `losing_days` the number of days that lost.

    `detectable_bps` is the smallest net edge that this much data would have found with a probability of 80 %; `needed_days` the number of
    days that would find this edge with that probability, infinite for an edge of zero.
    """

    edge_bps: float
    low_bps: float
    high_bps: float
    p_value: float
    loss_p_value: float
    adjusted_p_value: float
    days: int
    days_with_trades: int
    effective_trading_days: float
    effective_blocks: float
    block_days: int
    largest_day_share: float
    losing_days: int
    detectable_bps: float
    needed_days: float


def no_inference(days: int, days_with_trades: int) -> EdgeInference:
    """If there are too few days to estimate anything."""
    return EdgeInference(
        nan, nan, nan, 1.0, 1.0, 1.0, days, days_with_trades, float(days_with_trades), float(days_with_trades), 1, nan, 0, nan, inf
    )


def infer_edge(profit: DailyProfit, samples: int, seed: int = 0) -> EdgeInference:
    """The inference on the first strategy of `profit` `(days, k)`; the other columns are other strategies that were tried."""
    net, stake = profit.net[:, 0], profit.stake[:, 0]
    days_with_trades = int((stake > 0).sum())
    if profit.days < MIN_DAYS or days_with_trades < MIN_TRADED_DAYS:
        return no_inference(profit.days, days_with_trades)
    tested = DailyProfit(profit.net[:, :1], profit.stake[:, :1])
    edges = estimate_edges(tested)
    edge, error, t = float(edges.edge[0]), float(edges.standard_error[0]), float(edges.t[0])
    block = block_days(tested)
    own = np.nan_to_num(resampled_t(tested, block, samples, seed)[:, 0])
    largest = _largest_t(profit, own, block, samples, seed)
    factor = bias_factor(profit.days)
    low, high = np.quantile(own, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    width = 1.0 / sqrt(factor)
    if block < _DEPENDENT_BLOCK and high > low:
        width = max(1.0, min(width, 2.0 * _MAX_WIDTH * _Z_95 / (high - low)))
    blocks = (
        min(float(edges.effective_trading_days[0]), profit.days / float(edges.dependence[0]))
        if error > 0
        else float(edges.effective_trading_days[0])
    )
    needed_t = _needed_t(own, factor)
    return EdgeInference(
        edge_bps=1e4 * edge,
        low_bps=1e4 * (edge - high * width * error),
        high_bps=1e4 * (edge - low * width * error),
        p_value=_p_value(own, t, factor),
        loss_p_value=_p_value(-own, -t, factor),
        adjusted_p_value=_p_value(largest, t, factor),
        days=profit.days,
        days_with_trades=days_with_trades,
        effective_trading_days=float(edges.effective_trading_days[0]),
        effective_blocks=blocks,
        block_days=block,
        largest_day_share=_largest_share(net),
        losing_days=int((net < 0).sum()),
        detectable_bps=1e4 * needed_t * error,
        needed_days=profit.days * (needed_t / t) ** 2 if t else inf,
    )


def block_days(profit: DailyProfit) -> int:
    """The length of the blocks in which the days of the first strategy are resampled."""
    net, stake = profit.net[:, 0], profit.stake[:, 0]
    staked = float(stake.sum())
    length = circular_block_length(net - float(net.sum()) / staked * stake) if staked else 1.0
    return round(min(length, profit.days / _MIN_BLOCKS))


def _largest_t(profit: DailyProfit, own: Values, block: int, samples: int, seed: int) -> Values:
    """The largest t statistic `(samples,)` of the tested strategy and the others, resampled on the same days.

    Others that lose are no rivals of a strategy that earns: they do not count, so trying them costs nothing.
    """
    rivals = 1 + np.flatnonzero(estimate_edges(DailyProfit(profit.net[:, 1:], profit.stake[:, 1:])).t > 0)
    if not len(rivals):
        return own
    drawn = resampled_t(DailyProfit(profit.net[:, rivals], profit.stake[:, rivals]), block, samples, seed)
    largest: Values = np.maximum(own, np.nan_to_num(drawn).max(axis=1))
    return largest


def _p_value(drawn: Values, t: float, factor: float) -> float:
    """The probability of `t` or more if the true edge is zero.

    It is the larger of the plain one and the one under strong dependence, the latter scaled by `MAX_P_VALUE / MAX_DEPENDENT_P_VALUE`: so
    one number, compared with `MAX_P_VALUE`, stands for both conditions.
    """
    plain = _share_above(drawn, t)
    dependent = _share_above(drawn, t * sqrt(factor)) * MAX_P_VALUE / MAX_DEPENDENT_P_VALUE
    return max(plain, dependent) if t > 0 else plain


def _share_above(drawn: Values, t: float) -> float:
    return (1.0 + float((drawn >= t).sum())) / (1.0 + len(drawn))


def _needed_t(own: Values, factor: float) -> float:
    """The true edge, in standard errors, that is found with a probability of `POWER`."""
    plain = float(np.quantile(own, 1.0 - MAX_P_VALUE))
    dependent = float(np.quantile(own, 1.0 - MAX_DEPENDENT_P_VALUE)) / sqrt(factor)
    return max(plain, dependent) + float(np.quantile(own, POWER))


def _largest_share(net: Values) -> float:
    total = float(net.sum())
    if not total:
        return inf
    return float((net if total > 0 else -net).max()) / abs(total)
