"""The map: the figures of each interval, from the shortest to the longest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.edge_inference import EdgeInference, infer_edge, no_inference
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.backtesting.interval_map.joint_test import judge_together
from coinfarm.backtesting.interval_map.requirements import PayingFees, RequiredAccuracy, moves_bps, paying_fees, required_accuracy
from coinfarm.candles.interval import interval_ms


@dataclass(frozen=True, eq=False)
class IntervalFigures:
    """One interval of the map.

    `median_move_bps` is the median absolute end change over the horizons of all tested predictions. `daily_profit` is about the net profit
    of a day, in basis points of the capital, where every day counts once. `would_pay` are the fees at the break-even cost, `surely_pays`
    those at the lower end of its 90 % interval.
    """

    result: BacktestResult
    median_move_bps: float
    daily_profit: EdgeInference
    would_pay: PayingFees
    surely_pays: PayingFees
    accuracy: RequiredAccuracy

    @property
    def interval(self) -> str:
        return self.result.interval

    @property
    def conclusion(self) -> Conclusion:
        return self.result.verdict.conclusion


@dataclass(frozen=True, eq=False)
class IntervalMap:
    """The intervals, from the shortest to the longest. Their verdicts count every strategy that was tried at any of them."""

    intervals: tuple[IntervalFigures, ...]

    @property
    def tried(self) -> int:
        """The number of strategies that each verdict counts."""
        return self.intervals[0].result.trials.count

    def at(self, conclusion: Conclusion) -> tuple[str, ...]:
        """The intervals with that conclusion."""
        return tuple(each.interval for each in self.intervals if each.conclusion is conclusion)


def interval_map(results: Sequence[BacktestResult], samples: int, seed: int = 0) -> IntervalMap:
    """The map of backtests of different intervals; `samples` is the number of bootstrap samples."""
    ordered = sorted(results, key=lambda each: interval_ms(each.interval))
    return IntervalMap(tuple(_figures(each, samples, seed) for each in judge_together(ordered, samples, seed)))


def _figures(result: BacktestResult, samples: int, seed: int) -> IntervalFigures:
    found, horizon, market = result.break_even, result.strategy.exit.horizon_candles, result.strategy.market
    return IntervalFigures(
        result=result,
        median_move_bps=float(np.median(np.concatenate([moves_bps(coin, horizon) for coin in result.coins]))),
        daily_profit=_daily_profit(result, samples, seed),
        would_pay=paying_fees(result.trades, market, found.bps),
        surely_pays=paying_fees(result.trades, market, found.low_bps),
        accuracy=required_accuracy(result),
    )


def _daily_profit(result: BacktestResult, samples: int, seed: int) -> EdgeInference:
    """The edge of the days as if each staked the capital."""
    net = result.marked.net[:, None]
    if not len(result.trades):
        return no_inference(len(net), 0)
    return infer_edge(DailyProfit(net, np.full_like(net, result.strategy.size.capital)), samples, seed)
