"""Paper profit: what a strategy would have earned with live predictions, and with those of an evaluation."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite

import numpy as np

from coinfarm.backtesting.backtest import backtest_coins
from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.user_rule import Rule, StepRule
from coinfarm.backtesting.statistics import compounded, daily_returns
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.evaluation.evaluation_frames import EvaluationFrames, EvaluationSpec
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import rounded
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.models.live_reference import PaperRecord, TradeFigures
from coinfarm.scorecard.live_outcomes import LiveOutcomes
from coinfarm.scorecard.scorecard_document import EquityPoint, PaperBaseline, PaperProfit

MAX_DELAY_MS = 60_000
"""A prediction that is made later after the close, or when the next candle has closed, is not traded."""
_SAMPLES = 1_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class PaperStrategy:
    """A strategy, and its rule if it has one."""

    strategy: Strategy = field(default_factory=Strategy)
    rule: Rule | StepRule | None = None

    def at_horizon(self, horizon_candles: int) -> Strategy | None:
        """The strategy for the predictions of a horizon; None if it trades another one."""
        exits = self.strategy.exit
        if "horizon_candles" in exits.model_fields_set:
            return self.strategy if exits.horizon_candles == horizon_candles else None
        return self.strategy.at_horizon(horizon_candles)


def paper_profit(paper: PaperStrategy, outcomes: LiveOutcomes, horizon_candles: int, evaluated: PaperRecord | None) -> PaperProfit | None:
    """The paper profit of the scored predictions.

    The default strategy trades with the thresholds that were chosen in the evaluation; other strategies with their own, or with those that
    walk-forward chooses on the first part of the live days. None if there is no prediction to trade, or none to choose by.
    Raises `RuleError` if the rule fails.
    """
    strategy = paper.at_horizon(horizon_candles)
    observations = outcomes.observations
    delay_ms = outcomes.predicted_at - observations.close_time
    in_time = delay_ms <= min(MAX_DELAY_MS, outcomes.candles[0].interval_ms)
    if strategy is None or not in_time.any():
        return None
    is_default = paper == PaperStrategy()
    if is_default and evaluated is not None:
        strategy = _with_thresholds(strategy, evaluated)
    coins = predicted_coins_of(outcomes.candles, observations.rows(in_time), outcomes.predicted_pct[in_time])
    try:
        result = _traded(coins, strategy, paper.rule)
    except CoinfarmError:  # too few predictions to choose thresholds by
        if paper.rule is not None or not strategy.has_open_thresholds:
            raise
        return None
    used = result.folds[-1].thresholds
    chosen = "live" if strategy.has_open_thresholds else "evaluation" if is_default else "strategy"
    return PaperProfit(
        strategy=strategy.name,
        thresholds=None if paper.rule is not None else (rounded(used.min_end_change_pct), rounded(used.min_rise_to_decline)),
        chosen_on=chosen,
        in_time=int(in_time.sum()),
        late=int((~in_time).sum()),
        conclusion=result.verdict.conclusion,
        live=_figures(result),
        evaluated=evaluated.figures if is_default and evaluated is not None else None,
        baselines=tuple(
            PaperBaseline(
                name=each.baseline.name,
                trades=each.trades,
                average_trade_after_cost_bps=_number(each.bps - each.cost_bps),
                return_pct=_number(each.return_pct),
            )
            for each in result.baselines
        ),
        equity=_equity(result),
    )


def with_paper_trading(evaluation: Evaluation, frames: EvaluationFrames, series: list[Candles], spec: EvaluationSpec) -> Evaluation:
    """The evaluation with the default strategy's trades on its frames, unless they are too few to choose thresholds by."""
    coins = predicted_coins_of([fill_gaps(spec.candles_of(each)) for each in series], frames.observations, frames.predicted_pct)
    try:
        result = _traded(coins, Strategy().at_horizon(evaluation.horizon_candles), None)
    except CoinfarmError:
        return evaluation
    thresholds = result.folds[-1].thresholds
    record = PaperRecord(
        min_end_change_pct=rounded(thresholds.min_end_change_pct),
        min_rise_to_decline=rounded(thresholds.min_rise_to_decline),
        figures=_figures(result),
    )
    reference = evaluation.live_reference
    assert reference is not None  # `score_frames` makes one
    return evaluation.model_copy(update={"live_reference": reference.model_copy(update={"paper": record})})


def predicted_coins_of(
    candles: "tuple[Candles, ...] | list[Candles]", observations: Observations, predicted_pct: Values
) -> list[PredictedCoin]:
    """The coins with at least one of the predictions `(n, 3)`, on candles without gaps."""
    coins = []
    for each in candles:
        here = observations.symbols == each.symbol
        signal = (observations.close_time[here] + 1 - each.open_time[0]) // each.interval_ms - 1
        coins.append(PredictedCoin(each, signal, predicted_pct[here], np.zeros(len(signal), np.int64)))
    return [coin for coin in coins if len(coin)]


def _with_thresholds(strategy: Strategy, chosen: PaperRecord) -> Strategy:
    thresholds = {"min_end_change_pct": chosen.min_end_change_pct, "min_rise_to_decline": chosen.min_rise_to_decline}
    return strategy.model_copy(update={"entry": strategy.entry.model_copy(update=thresholds)})


def _traded(coins: list[PredictedCoin], strategy: Strategy, rule: Rule | StepRule | None) -> BacktestResult:
    counts = ExclusionCounts(sum(map(len, coins)), 0, 0, 0, 0, 0)
    return backtest_coins(coins, counts, strategy, interval=coins[0].candles.interval, rule=rule, check_leaks=False, samples=_SAMPLES)


def _figures(result: BacktestResult) -> TradeFigures:
    found, inference = result.statistics, result.break_even.inference
    has_interval = isfinite(inference.low_bps) and isfinite(inference.high_bps)
    return TradeFigures(
        days=rounded(found.days),
        trades=found.trades,
        win_rate_pct=_number(found.win_rate_pct),
        average_trade_before_cost_bps=_number(found.average_trade_before_cost_bps),
        average_cost_bps=_number(found.average_cost_bps),
        average_trade_after_cost_bps=_number(found.average_trade_after_cost_bps),
        after_cost_interval_bps=(rounded(inference.low_bps), rounded(inference.high_bps)) if has_interval else None,
        return_pct=_number(found.return_pct),
    )


def _equity(result: BacktestResult) -> tuple[EquityPoint, ...]:
    equity = compounded(daily_returns(result.marked.net, result.strategy.size.capital))[1:]
    return tuple(
        EquityPoint(day=_EPOCH + timedelta(days=result.period.first_day + number), equity=rounded(value))
        for number, value in enumerate(equity)
    )


def _number(value: float) -> float | None:
    return rounded(value) if isfinite(value) else None
