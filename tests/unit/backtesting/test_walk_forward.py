"""Thresholds are chosen on earlier trades only."""

import numpy as np
import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.period import period_of
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy, Thresholds
from coinfarm.backtesting.walk_forward import Fold, ProposedTrades, Sweep, choose_thresholds, proposed_trades, thresholds_at
from coinfarm.errors import CoinfarmError
from tests.support.backtest_markets import START_MS, noisy_predictions, random_walk

STRATEGY = Strategy.model_validate(
    {
        "exit": {"horizon_candles": 5},
        "market": {"volume_share_pct": 100, "min_order": 0},
        "selection": {"folds": 3, "end_change_steps": 4, "rise_to_decline_steps": 3, "min_trades": 10},
    }
)


@pytest.fixture(scope="module")
def coins() -> list[PredictedCoin]:
    return [noisy_predictions(random_walk(symbol, 3_000, seed), 20, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB"))]


def proposed(coins: list[PredictedCoin], strategy: Strategy = STRATEGY) -> list[ProposedTrades]:
    result = []
    for at, coin in enumerate(coins):
        proposals = propose(strategy, coin, 1_000.0, None)
        result.append(proposed_trades(("DEMOA", "DEMOB"), at, proposals, fill_orders(coin.candles, proposals.orders, strategy.market)))
    return result


def choose(coins: list[PredictedCoin], strategy: Strategy = STRATEGY) -> tuple[tuple[Fold, ...], Sweep]:
    return choose_thresholds(proposed(coins, strategy), strategy, period_of(coins, 5), lambda done, total: None)


def test_folds_follow_the_first_part_without_a_gap(coins: list[PredictedCoin]) -> None:
    folds, _ = choose(coins)
    period = period_of(coins, 5)
    assert len(folds) == 3
    assert folds[0].start_ms == (period.start_ms + period.stop_ms) // 2
    assert [fold.stop_ms for fold in folds[:-1]] == [fold.start_ms for fold in folds[1:]]
    assert folds[-1].stop_ms == period.stop_ms


def test_later_data_does_not_change_the_thresholds_of_a_fold(coins: list[PredictedCoin]) -> None:
    """Candles and predictions from the start of the fold on are replaced; trades still open there are purged."""
    folds, sweep = choose(coins)
    for fold in folds:
        others = [_with_another_future(coin, fold.start_ms) for coin in coins]
        changed, _ = choose(others)
        same = changed[folds.index(fold)]
        assert (same.thresholds, same.selection_trades) == (fold.thresholds, fold.selection_trades)
        if fold is folds[0]:
            assert changed[-1].selection_trades != folds[-1].selection_trades
    assert len(sweep.variants) == 12


def _with_another_future(coin: PredictedCoin, from_ms: int) -> PredictedCoin:
    candles = coin.candles
    past = candles.open_time < from_ms
    other = random_walk(coin.symbol, len(candles), 99)
    columns = type(candles.columns)(*(np.where(past, old, new) for old, new in zip(candles.columns, other.columns, strict=True)))
    mixed = type(candles)(candles.symbol, candles.interval, candles.open_time, columns, np.where(past, candles.filled, other.filled))
    values = np.where((coin.signal_ms < from_ms)[:, None], coin.predicted_pct, coin.predicted_pct[::-1])
    return PredictedCoin(mixed, coin.signal, values, coin.filled_candles)


def test_a_variants_figures_are_those_of_the_strategy_with_its_thresholds(coins: list[PredictedCoin]) -> None:
    _, sweep = choose(coins)
    cut_ms = choose(coins)[0][0].start_ms
    for at in (0, 5, 11):
        fills = []
        for coin in coins:
            proposals = propose(STRATEGY, coin, 1_000.0, None)
            fills.append(fill_orders(coin.candles, proposals.rows(proposals.reach_thresholds(*sweep.variants[at])).orders, STRATEGY.market))
        trades = simulate_trades(("DEMOA", "DEMOB"), fills)
        first, later = trades.rows(trades.exit_ms <= cut_ms), trades.rows(trades.entry_ms >= cut_ms)
        assert (sweep.first_trades.flat[at], sweep.later_trades.flat[at]) == (len(first), len(later))
        assert sweep.first_bps.flat[at] == pytest.approx(1e4 * first.gross.sum() / first.stake.sum())
        assert sweep.later_bps.flat[at] == pytest.approx(1e4 * later.gross.sum() / later.stake.sum())


def test_chooses_the_best_variant_of_the_first_part(coins: list[PredictedCoin]) -> None:
    """Larger predictions are more accurate here, so the loosest thresholds are not the best."""
    folds, sweep = choose(coins)
    assert folds[0].thresholds != sweep.variants[0]
    assert folds[0].selection_trades >= STRATEGY.selection.min_trades
    best = sweep.variants.index(folds[0].thresholds)
    assert sweep.first_bps.flat[best] > sweep.first_bps.flat[0]


def test_does_not_choose_a_given_threshold(coins: list[PredictedCoin]) -> None:
    entry = STRATEGY.entry.model_copy(update={"min_rise_to_decline": 1.25})
    folds, sweep = choose(coins, STRATEGY.model_copy(update={"entry": entry}))
    assert sweep.min_rise_to_decline.tolist() == [1.25]
    assert {fold.thresholds.min_rise_to_decline for fold in folds} == {1.25}


def test_applies_the_thresholds_of_each_fold() -> None:
    folds = [Fold(START_MS, START_MS + 10, Thresholds(0.1, 1.0)), Fold(START_MS + 10, START_MS + 20, Thresholds(0.2, 2.0))]
    ends, ratios = thresholds_at(folds, START_MS + np.array([0, 9, 10, 25]))
    assert ends.tolist() == [0.1, 0.1, 0.2, 0.2]
    assert ratios.tolist() == [1.0, 1.0, 2.0, 2.0]


def test_requires_thresholds_if_the_first_part_has_no_proposals(coins: list[PredictedCoin]) -> None:
    falling = [coin.with_predictions(coin.predicted_pct * [1, 1, 0] - [0, 0, 0.1]) for coin in coins]
    with pytest.raises(CoinfarmError, match="min_end_change_pct and min_rise_to_decline"):
        choose(falling)
