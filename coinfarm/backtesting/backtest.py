"""One backtest, from stored predictions and candles to the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult, TrialSummary
from coinfarm.backtesting.baselines.baseline_result import baseline_result
from coinfarm.backtesting.baselines.baseline_strategies import BASELINE_COUNT, BaselineContext, baselines
from coinfarm.backtesting.checks.leaks import find_leaks
from coinfarm.backtesting.checks.scope_check import fit_to_model
from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.proposals import Proposals, propose
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.break_even import break_even
from coinfarm.backtesting.inference.daily_profit import MarkedTrades, mark_to_market
from coinfarm.backtesting.inference.deflation import deflated_sharpe_probability
from coinfarm.backtesting.inference.overfitting import overfitting_probability
from coinfarm.backtesting.inference.sample_size import independent_count
from coinfarm.backtesting.inference.trials import Trial, TrialKey, new_trial, register_trial, trial_key
from coinfarm.backtesting.inference.verdict import decide_verdict
from coinfarm.backtesting.market_data import ExclusionCounts, read_predicted_coins
from coinfarm.backtesting.period import BacktestPeriod, period_of
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.step_simulation import simulate_steps
from coinfarm.backtesting.rules.user_rule import Rule, StepRule
from coinfarm.backtesting.statistics import (
    backtest_direction_accuracy,
    by_coin,
    by_month,
    statistics,
)
from coinfarm.backtesting.stored_predictions import read_predictions
from coinfarm.backtesting.strategy import Strategy, Thresholds
from coinfarm.backtesting.unused_fields import Usage, check_unused_fields
from coinfarm.backtesting.walk_forward import SWEEP_STEPS, Fold, Sweep, choose_thresholds, proposed_trades, thresholds_at
from coinfarm.errors import CoinfarmError, StorageError
from coinfarm.prediction.model_scope import ModelScope

BOOTSTRAP_SAMPLES = 1_000

StageProgress = Callable[[str, int, int], None]
"""Called with the name of the stage, the completed units and their total."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


def backtest(
    predictions_root: str,
    candles_root: str,
    strategy: Strategy,
    *,
    rule: Rule | StepRule | None = None,
    scope: ModelScope | None = None,
    allow_mismatch: bool = False,
    check_leaks: bool = True,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    progress: StageProgress = no_progress,
) -> BacktestResult:
    """Test the strategy on the predictions under one root and the candles under the other; `samples` is the number of bootstrap samples.

    `scope` is the model's, if the predictions do not say it. Raises `CoinfarmError` if there is nothing to test, or the strategy or the
    interval does not fit the model (unless `allow_mismatch`), and what the readers of both raise. `check_leaks` is for candles that are
    known to follow the predictions.
    """
    progress("reading", 0, 1)
    stored = read_predictions(predictions_root)
    if scope is not None and not stored[0].scope.is_known:
        stored = [replace(each, scope=scope) for each in stored]
    first = stored[0]
    strategy, mismatches = fit_to_model(strategy, first.scope, first.interval, first.further_horizons, allow_mismatch=allow_mismatch)
    traded = [each.at_horizon(strategy.exit.horizon_candles) for each in stored]
    extra_candles = strategy.market.trailing_candles + strategy.entry.valid_candles
    coins, exclusions = read_predicted_coins(traded, candles_root, strategy.exit.horizon_candles, extra_candles)
    return backtest_coins(
        coins,
        exclusions,
        strategy,
        interval=first.interval,
        model=first.model,
        rule=rule,
        trials_root=predictions_root,
        key=trial_key(strategy, rule, stored),
        model_horizon=traded[0].scope.horizon_candles,
        warnings=mismatches,
        check_leaks=check_leaks,
        samples=samples,
        seed=seed,
        progress=progress,
    )


def backtest_coins(
    all_coins: list[PredictedCoin],
    exclusions: ExclusionCounts,
    strategy: Strategy,
    *,
    interval: str,
    model: str | None = None,
    rule: Rule | StepRule | None = None,
    trials_root: str | None = None,
    key: TrialKey | None = None,
    model_horizon: int | None = None,
    warnings: tuple[str, ...] = (),
    check_leaks: bool = True,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    progress: StageProgress = no_progress,
) -> BacktestResult:
    """Test the strategy on coins in memory. Without a `trials_root` and the `key` of the trial, no other trials are known.

    `model_horizon` is what the predictions are about, by default the strategy's horizon. `warnings`, and those about leaks in the
    predictions, are the first reasons of the verdict.

    Raises `CoinfarmError` for thresholds that a rule makes meaningless, `RuleError` if the rule fails.
    """
    if rule is not None:
        check_unused_fields(strategy, Usage(has_rule=True))
    symbols = tuple(coin.symbol for coin in all_coins)
    strategy.market.check_coins(symbols)
    leaks = find_leaks(all_coins, strategy.exit.horizon_candles if model_horizon is None else model_horizon) if check_leaks else ()
    horizon, capital = strategy.exit.horizon_candles, strategy.size.capital
    trader = _Trader(strategy, symbols, rule, strategy.size.full_stake(len(all_coins)))
    full_period = period_of(all_coins, horizon)
    folds, sweep = trader.folds(all_coins, full_period, lambda done, total: progress("variants", done, total))
    period = BacktestPeriod(folds[0].start_ms, full_period.stop_ms)
    coins = [coin.between(period.start_ms, period.stop_ms) for coin in all_coins]
    trades, orders = trader.trade(coins, folds)
    marked = mark_to_market(trades, [coin.candles for coin in coins], period)
    others, stored = _register(trials_root, strategy.name, key, period, marked)
    tried = [each.on_days(period.first_day, period.utc_days) for each in others]
    found = break_even(trades, marked, samples, seed, tried)
    context = BaselineContext(coins, strategy, period, trades, orders, trader.full_stake, seed)
    results = []
    for baseline in baselines(context):
        results.append(baseline_result(baseline, context, samples))
        progress("baselines", len(results), BASELINE_COUNT)
    daily_net = np.column_stack([marked.net, *(each.net for each in tried)])
    return BacktestResult(
        strategy=strategy,
        model=model,
        interval=interval,
        coins=tuple(coins),
        exclusions=exclusions,
        period=period,
        folds=folds,
        sweep=sweep,
        trades=trades,
        marked=marked,
        break_even=found,
        verdict=decide_verdict(found, 1 + len(others), sum(map(len, orders))).with_warnings(warnings, leaks),
        statistics=statistics(trades, marked, period, capital),
        by_coin=by_coin(trades, capital),
        by_month=by_month(trades, capital),
        direction=backtest_direction_accuracy(coins, trades, horizon),
        baselines=tuple(results),
        trials=TrialSummary(tuple(others), deflated_sharpe_probability(daily_net), stored),
        overfitting_probability=float("nan") if sweep is None else overfitting_probability(sweep.daily_net),
        independent_predictions=_independent_predictions(coins, horizon),
        mismatches=warnings,
        leaks=leaks,
        model_horizon=model_horizon,
    )


@dataclass(frozen=True, eq=False)
class _Trader:
    """Applies the strategy to coins."""

    strategy: Strategy
    symbols: tuple[str, ...]
    rule: Rule | StepRule | None
    full_stake: float

    def folds(
        self, coins: list[PredictedCoin], period: BacktestPeriod, on_variant: Callable[[int, int], None]
    ) -> tuple[tuple[Fold, ...], Sweep | None]:
        """The thresholds by period: chosen by walk-forward unless the strategy sets them."""
        entry = self.strategy.entry
        if self.rule is not None or not self.strategy.has_open_thresholds:
            given = Thresholds(entry.min_end_change_pct or 0.0, entry.min_rise_to_decline or 0.0)
            return (Fold(period.start_ms, period.stop_ms, given),), None
        proposed = []
        for number, coin in enumerate(coins):
            proposals = self._proposals(coin)
            fills = fill_orders(coin.candles, proposals.orders, self.strategy.market)
            proposed.append(proposed_trades(self.symbols, number, proposals, fills))
        return choose_thresholds(proposed, self.strategy, period, on_variant)

    def trade(self, coins: Sequence[PredictedCoin], folds: Sequence[Fold]) -> tuple[Trades, list[Orders]]:
        """The trades, and the orders of each coin that reach the thresholds."""
        if isinstance(self.rule, StepRule):
            return simulate_steps(self.symbols, coins, self.strategy, self.rule, self.full_stake)
        fills, orders = [], []
        for coin in coins:
            proposals = self._proposals(coin)
            if self.rule is None:
                thresholds = thresholds_at(folds, coin.candles.open_time[proposals.orders.signal])
                proposals = proposals.rows(proposals.reach_thresholds(*thresholds))
            fills.append(fill_orders(coin.candles, proposals.orders, self.strategy.market))
            orders.append(proposals.orders)
        return simulate_trades(self.symbols, fills, self.strategy.size.limits), orders

    def _proposals(self, coin: PredictedCoin) -> Proposals:
        return propose(self.strategy, coin, self.full_stake, None if isinstance(self.rule, StepRule) else self.rule)


def _register(root: str | None, name: str, key: TrialKey | None, period: BacktestPeriod, marked: MarkedTrades) -> tuple[list[Trial], bool]:
    """The other trials on the same predictions, and whether this one could be stored."""
    if root is None or key is None:
        return [], False
    try:
        return register_trial(root, key, new_trial(name, key, period.first_day, marked.profit)), True
    except StorageError:  # predictions in read-only storage can be backtested, too
        return [], False


def _independent_predictions(coins: Sequence[PredictedCoin], horizon_candles: int) -> float:
    """The effective number of predictions: their horizons overlap."""
    start = np.concatenate([coin.signal_ms for coin in coins])
    return independent_count(start, start + horizon_candles * coins[0].candles.interval_ms)


def for_sweep(strategy: Strategy) -> Strategy:
    """The same strategy with both thresholds open, and a grid of 400 variants. Raises `CoinfarmError` for a strategy with a rule."""
    if strategy.entry.has_rule:
        raise CoinfarmError("a rule has no thresholds to sweep: leave out --sweep, or the rule under [entry]")
    entry = strategy.entry.model_copy(update={"min_end_change_pct": None, "min_rise_to_decline": None})
    selection = strategy.selection.model_copy(update={"end_change_steps": SWEEP_STEPS, "rise_to_decline_steps": SWEEP_STEPS})
    return strategy.model_copy(update={"entry": entry, "selection": selection})
