"""The results of a backtest."""

from dataclasses import dataclass

from coinfarm.backtesting.baseline_strategies import BaselineStrategy
from coinfarm.backtesting.break_even import BreakEven
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.statistics import BacktestDirectionAccuracy, GroupStatistics, Statistics
from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.trades import Trades
from coinfarm.backtesting.verdict import BacktestVerdict
from coinfarm.backtesting.walk_forward import Fold, Sweep


@dataclass(frozen=True)
class TrialSummary:
    """How many variants were ever tried on these predictions, and the deflated Sharpe ratio (a probability) for that number.

    `stored` is False if the list of variants could not be stored next to the predictions.
    """

    variants: int
    deflated_sharpe_probability: float
    stored: bool


@dataclass(frozen=True, eq=False)
class BaselineResult:
    """A baseline and its figures."""

    baseline: BaselineStrategy
    break_even: BreakEven
    return_pct: float


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """All results of a backtest. `coins` have the predictions of `period` alone; `sweep` is None if no thresholds were chosen."""

    strategy: Strategy
    model: str | None
    interval: str
    coins: tuple[PredictedCoin, ...]
    exclusions: ExclusionCounts
    period: BacktestPeriod
    folds: tuple[Fold, ...]
    sweep: Sweep | None
    trades: Trades
    break_even: BreakEven
    verdict: BacktestVerdict
    statistics: Statistics
    by_coin: tuple[GroupStatistics, ...]
    by_month: tuple[GroupStatistics, ...]
    direction: BacktestDirectionAccuracy
    baselines: tuple[BaselineResult, ...]
    trials: TrialSummary
    independent_predictions: float

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.trades.symbols
