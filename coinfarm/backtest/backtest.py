"""One backtest, from stored predictions and candles to the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from coinfarm.backtest.baseline_strategies import Baseline, Setting, baselines
from coinfarm.backtest.break_even import BreakEven, break_even
from coinfarm.backtest.coin import Coin
from coinfarm.backtest.deflation import deflated_sharpe_probability, sharpe_ratio
from coinfarm.backtest.market_data import LeftOut, read_coins
from coinfarm.backtest.period import Period, period_of
from coinfarm.backtest.proposals import Proposals, propose
from coinfarm.backtest.sample_size import independent_count
from coinfarm.backtest.selection import SWEEP_STEPS, Fold, Sweep, candidates_of, choose, thresholds_at
from coinfarm.backtest.simulation import follow, trades_of
from coinfarm.backtest.statistics import Direction, Part, Statistics, by_coin, by_month, daily_returns, direction, statistics
from coinfarm.backtest.stored_predictions import read_predictions
from coinfarm.backtest.strategy import Rule, Strategy, Thresholds
from coinfarm.backtest.trades import Trades
from coinfarm.backtest.trials import add_trials, variant_key
from coinfarm.backtest.verdict import Verdict, judge
from coinfarm.errors import CoinfarmError, StorageError

SAMPLES = 1_000


class Progress(Protocol):
    """Is told what is done, how much of it, and of how much."""

    def __call__(self, what: str, done: int, of: int, /) -> None: ...


def silent(what: str, done: int, of: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Tried:
    """How many variants were ever tried on these predictions, and how likely the Sharpe ratio is real, given that.

    `kept` is False where what was tried could not be kept beside the predictions.
    """

    variants: int
    deflated_sharpe_probability: float
    kept: bool


@dataclass(frozen=True, eq=False)
class Compared:
    """A baseline, and its numbers."""

    baseline: Baseline
    break_even: BreakEven
    return_pct: float


@dataclass(frozen=True, eq=False)
class Result:
    """All that a backtest found. `coins` have the predictions of `period` alone; `sweep` is None where nothing was chosen."""

    strategy: Strategy
    model: str | None
    interval: str
    coins: tuple[Coin, ...]
    left_out: LeftOut
    period: Period
    folds: tuple[Fold, ...]
    sweep: Sweep | None
    trades: Trades
    break_even: BreakEven
    verdict: Verdict
    statistics: Statistics
    by_coin: tuple[Part, ...]
    by_month: tuple[Part, ...]
    direction: Direction
    compared: tuple[Compared, ...]
    tried: Tried
    independent_predictions: float

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.trades.symbols


def backtest(
    predictions_root: str,
    candles_root: str,
    strategy: Strategy,
    *,
    rule: Rule | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress = silent,
) -> Result:
    """Judge the strategy on the predictions under one root and the candles under the other.

    Raises `CoinfarmError` where there is nothing to judge, and what the readers of both raise.
    """
    progress("reading", 0, 1)
    stored = read_predictions(predictions_root)
    coins, left_out = read_coins(stored, candles_root, strategy.exit.horizon_candles)
    return backtest_coins(
        coins,
        left_out,
        strategy,
        interval=stored[0].interval,
        model=stored[0].model,
        rule=rule,
        trials_root=predictions_root,
        samples=samples,
        seed=seed,
        progress=progress,
    )


def backtest_coins(
    coins: list[Coin],
    left_out: LeftOut,
    strategy: Strategy,
    *,
    interval: str,
    model: str | None = None,
    rule: Rule | None = None,
    trials_root: str | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress = silent,
) -> Result:
    """Test the strategy on coins that were read before. Without a `trials_root` no other trials on these predictions are counted."""
    horizon = strategy.exit.horizon_candles
    symbols = tuple(coin.symbol for coin in coins)
    whole = period_of(coins, horizon)
    trader = _Trader(strategy, symbols, rule, strategy.size.full_stake(len(coins)))
    folds, sweep = trader.folds(coins, whole, lambda done, of: progress("variants", done, of))
    period = Period(folds[0].start_ms, whole.stop_ms, whole.horizon_ms)
    judged = [coin.between(period.start_ms, period.stop_ms) for coin in coins]
    trades, signals = trader.trade(judged, folds)
    found = break_even(trades, period, samples, seed)
    setting = Setting(judged, strategy, trades, signals, trader.full_stake, lambda others: trader.trade(others, folds)[0], seed)
    compared = []
    for done, baseline in enumerate(each := baselines(setting)):
        progress("baselines", done, len(each))
        compared.append(_compared(baseline, period, strategy, samples, seed))
    tried = _tried(trials_root, strategy, trades, period, sweep)
    return Result(
        strategy=strategy,
        model=model,
        interval=interval,
        coins=tuple(judged),
        left_out=left_out,
        period=period,
        folds=folds,
        sweep=sweep,
        trades=trades,
        break_even=found,
        verdict=judge(found, period, tried.deflated_sharpe_probability, tried.variants),
        statistics=statistics(trades, period, strategy.size.capital),
        by_coin=by_coin(trades, strategy.size.capital),
        by_month=by_month(trades, strategy.size.capital),
        direction=direction(judged, trades, horizon),
        compared=tuple(compared),
        tried=tried,
        independent_predictions=_independent(judged, horizon),
    )


@dataclass(frozen=True, eq=False)
class _Trader:
    """The strategy at work."""

    strategy: Strategy
    symbols: tuple[str, ...]
    rule: Rule | None
    full_stake: float

    def folds(self, coins: list[Coin], period: Period, progress: Callable[[int, int], None]) -> tuple[tuple[Fold, ...], Sweep | None]:
        """The thresholds in force, by time; chosen, where the strategy leaves one open."""
        entry = self.strategy.entry
        if not self.strategy.chooses:
            given = Thresholds(entry.min_end_change_pct or 0.0, entry.min_rise_to_decline or 0.0)
            return (Fold(period.start_ms, period.stop_ms, given),), None
        candidates = []
        for at, coin in enumerate(coins):
            proposals = self._proposals(coin)
            outcomes = follow(coin.candles, proposals.orders, self.strategy.market)
            candidates.append(candidates_of(self.symbols, at, proposals, outcomes, self.strategy))
        return choose(candidates, self.strategy, period, progress)

    def trade(self, coins: Sequence[Coin], folds: Sequence[Fold]) -> tuple[Trades, list[int]]:
        """The trades, and how many signals there were of each coin."""
        outcomes, signals = [], []
        for coin in coins:
            proposals = self._proposals(coin)
            if self.rule is None:
                reaching = proposals.reaching(*thresholds_at(folds, coin.candles.open_time[proposals.orders.signal]))
                proposals = proposals.rows(reaching)
            outcomes.append(follow(coin.candles, proposals.orders, self.strategy.market))
            signals.append(len(proposals))
        size = self.strategy.size
        return trades_of(self.symbols, outcomes, self.strategy.market, size.positions_per_coin, size.max_positions), signals

    def _proposals(self, coin: Coin) -> Proposals:
        return propose(self.strategy, coin, self.full_stake, self.rule)


def _compared(baseline: Baseline, period: Period, strategy: Strategy, samples: int, seed: int) -> Compared:
    found = break_even(baseline.trades, period, samples, seed)
    returned = statistics(baseline.trades, period, strategy.size.capital * baseline.draws).return_pct
    return Compared(baseline, found, returned)


def _tried(root: str | None, strategy: Strategy, trades: Trades, period: Period, sweep: Sweep | None) -> Tried:
    returns = daily_returns(trades, period, strategy.size.capital)
    if sweep is None:
        tried = {variant_key(strategy, None): sharpe_ratio(returns)}
    else:
        tried = {variant_key(strategy, each): float(ratio) for each, ratio in zip(sweep.variants, sweep.daily_sharpe.flat, strict=True)}
    kept = root is not None
    if root is not None:
        try:
            tried = add_trials(root, tried)
        except StorageError:  # a place that one may only read is no reason not to know
            kept = False
    return Tried(len(tried), deflated_sharpe_probability(returns, list(tried.values())), kept)


def _independent(coins: Sequence[Coin], horizon_candles: int) -> float:
    """Of the predictions: their horizons overlap."""
    start = np.concatenate([coin.signal_ms for coin in coins])
    return independent_count(start, start + horizon_candles * coins[0].candles.interval_ms)


def for_sweep(strategy: Strategy) -> Strategy:
    """The same with both thresholds open, and 400 variants of them. Raises `CoinfarmError` for a rule of one's own, which has none."""
    if strategy.entry.rule is not None:
        raise CoinfarmError("a rule of your own has no thresholds to sweep: leave out --sweep, or entry.rule")
    entry = strategy.entry.model_copy(update={"min_end_change_pct": None, "min_rise_to_decline": None})
    selection = strategy.selection.model_copy(update={"end_change_steps": SWEEP_STEPS, "rise_to_decline_steps": SWEEP_STEPS})
    return strategy.model_copy(update={"entry": entry, "selection": selection})
