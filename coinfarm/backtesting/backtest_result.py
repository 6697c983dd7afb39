"""The results of a backtest."""

from dataclasses import dataclass

from coinfarm.backtesting.baselines.baseline_result import BaselineResult
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.daily_profit import MarkedTrades
from coinfarm.backtesting.inference.trials import Trial
from coinfarm.backtesting.inference.verdict import BacktestVerdict
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.statistics import BacktestDirectionAccuracy, GroupStatistics, Statistics
from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.walk_forward import Fold, Sweep


@dataclass(frozen=True)
class TrialSummary:
    """The other strategies that were tried on these predictions, and what follows from their number.

    `elsewhere` are those that were tried at the other intervals of an interval map. `deflated_sharpe_probability` is the probability that
    the true Sharpe ratio is above the best one that luck would show among all of them. `stored` is False if the register of trials could
    not be stored next to the predictions.
    """

    others: tuple[Trial, ...]
    deflated_sharpe_probability: float
    stored: bool
    elsewhere: tuple[Trial, ...] = ()

    @property
    def here(self) -> int:
        """The number of strategies tried on these predictions, the tested one included."""
        return 1 + len(self.others)

    @property
    def count(self) -> int:
        """The number of all strategies that the verdict counts."""
        return self.here + len(self.elsewhere)


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """All results of a backtest. `coins` have the predictions of `period` alone.

    `sweep` is None if no thresholds were chosen; `overfitting_probability` is NaN then. `marked` are the daily profits of `trades`.
    `mismatches` and `leaks` are reasons not to trust the verdict, and the first of its reasons. `model_horizon` is None if it is unknown.
    """

    strategy: Strategy
    model: str | None
    interval: str
    coins: tuple[PredictedCoin, ...]
    exclusions: ExclusionCounts
    period: BacktestPeriod
    folds: tuple[Fold, ...]
    sweep: Sweep | None
    trades: Trades
    marked: MarkedTrades
    break_even: BreakEven
    verdict: BacktestVerdict
    statistics: Statistics
    by_coin: tuple[GroupStatistics, ...]
    by_month: tuple[GroupStatistics, ...]
    direction: BacktestDirectionAccuracy
    baselines: tuple[BaselineResult, ...]
    trials: TrialSummary
    overfitting_probability: float
    independent_predictions: float
    mismatches: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    model_horizon: int | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Mismatches and leaks."""
        return (*self.mismatches, *self.leaks)

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.trades.symbols
