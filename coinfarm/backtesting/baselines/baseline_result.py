"""The figures of a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from coinfarm.backtesting.baselines.baseline_strategies import BaselineContext, BaselineStrategy
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.break_even import break_even
from coinfarm.backtesting.inference.daily_profit import MarkedTrades, mark_to_market
from coinfarm.backtesting.inference.sample_size import independent_count
from coinfarm.backtesting.statistics import compounded, daily_returns
from coinfarm.candles.arrays import Values


@dataclass(frozen=True, eq=False)
class BaselineResult:
    """A baseline and its figures. Those of a random one are the means of its draws.

    `bps` is the break-even cost, with a 90 % interval: from the bootstrap for a baseline that is not random, otherwise the central 90 % of
    the draws, which is what luck gives. `return_low_pct` and `return_high_pct` are likewise, NaN without draws. `beaten_pct` is the
    percentage of draws whose mean trade after costs is below the strategy's. `missing_trades` are those that the baseline had no place for
    if it should trade as often as the strategy. `equity` `(days + 1,)` starts at 1.
    """

    baseline: BaselineStrategy
    bps: float
    low_bps: float
    high_bps: float
    cost_bps: float
    trades: float
    independent_trades: float
    net_profit_quote: float
    return_pct: float
    return_low_pct: float
    return_high_pct: float
    beaten_pct: float
    missing_trades: float
    equity: Values


def baseline_result(baseline: BaselineStrategy, context: BaselineContext, samples: int) -> BaselineResult:
    """The figures of a baseline; `samples` is the number of bootstrap samples."""
    candles, capital = [coin.candles for coin in context.coins], context.strategy.size.capital
    marked = [mark_to_market(trades, candles, context.period) for trades in baseline.draws]
    equity = np.stack([_equity(each, capital, compounds=baseline.compounds) for each in marked])
    returns = 100.0 * (equity[:, -1] - 1.0)
    bps, cost_bps = (np.array([_per_stake(trades, name) for trades in baseline.draws]) for name in ("gross", "cost"))
    trades = float(np.mean([len(each) for each in baseline.draws]))
    is_random = len(baseline.draws) > 1
    if is_random:
        low, high = _central(bps)
        independent = float(np.mean([independent_count(each.entry_ms, each.exit_ms) for each in baseline.draws]))
    else:
        found = break_even(baseline.draws[0], marked[0], samples, context.seed)
        low, high, independent = found.low_bps, found.high_bps, found.independent_trades
    return_low, return_high = _central(returns) if is_random else (nan, nan)
    net_bps, of_strategy = bps - cost_bps, _per_stake(context.trades, "net")
    return BaselineResult(
        baseline,
        bps=_mean(bps),
        low_bps=low,
        high_bps=high,
        cost_bps=_mean(cost_bps),
        trades=trades,
        independent_trades=independent,
        net_profit_quote=float(np.mean([each.net.sum() for each in baseline.draws])),
        return_pct=_mean(returns),
        return_low_pct=return_low,
        return_high_pct=return_high,
        beaten_pct=100.0 * float((net_bps < of_strategy).mean()) if is_random and np.isfinite(of_strategy) else nan,
        missing_trades=max(0.0, len(context.trades) - trades) if baseline.is_plan else 0.0,
        equity=equity.mean(axis=0),
    )


def _equity(marked: MarkedTrades, capital: float, *, compounds: bool) -> Values:
    if compounds:
        return compounded(daily_returns(marked.net, capital))
    return np.append(1.0, 1.0 + np.cumsum(marked.net) / capital)


def _per_stake(trades: Trades, name: str) -> float:
    staked = float(trades.stake.sum())
    return 1e4 * float(getattr(trades, name).sum()) / staked if staked else nan


def _central(values: Sequence[float] | Values) -> tuple[float, float]:
    """The central 90 % of the values that are defined."""
    defined = np.asarray(values)[np.isfinite(values)]
    low, high = np.quantile(defined, [0.05, 0.95]) if len(defined) else (nan, nan)
    return float(low), float(high)


def _mean(values: Values) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else nan
