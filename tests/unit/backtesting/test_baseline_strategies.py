"""Baselines on two synthetic coins."""

from collections.abc import Sequence

import numpy as np
import pytest

from coinfarm.backtesting.baseline_strategies import BaselineContext, baselines
from coinfarm.backtesting.fills import fill_orders
from coinfarm.backtesting.predicted_coin import END, PredictedCoin
from coinfarm.backtesting.proposals import Proposals, propose
from coinfarm.backtesting.simulation import simulate_trades
from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.trades import HORIZON, Trades
from tests.support.backtest_markets import noisy_predictions, random_walk

HOLD = 5
STRATEGY = Strategy.model_validate({"exit": {"horizon_candles": HOLD}, "market": {"volume_share_pct": 100, "min_order": 0}})


class Comparison:
    """A strategy on two coins, and its baselines."""

    def __init__(self) -> None:
        self.coins = [noisy_predictions(random_walk(symbol, 2_500, seed), 20, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB"))]
        self.signals = [len(self._proposals(coin)) for coin in self.coins]
        self.strategy = self.trade(self.coins)
        self.context = BaselineContext(self.coins, STRATEGY, self.strategy, self.signals, 1_000.0, self.trade)
        self.by_name = {each.name: each for each in baselines(self.context)}

    def __getitem__(self, name: str) -> Trades:
        return self.by_name[name].trades

    def trade(self, coins: Sequence[PredictedCoin]) -> Trades:
        fills = [fill_orders(coin.candles, self._proposals(coin).orders, STRATEGY.market) for coin in coins]
        return simulate_trades(("DEMOA", "DEMOB"), fills)

    def _proposals(self, coin: PredictedCoin) -> Proposals:
        proposals = propose(STRATEGY, coin, 1_000.0, None)
        return proposals.rows(proposals.reach_thresholds(0.15, 0.0))


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison()


def bps(trades: Trades) -> float:
    return float(1e4 * trades.gross.sum() / trades.stake.sum())


def test_always_long_always_has_a_position(comparison: Comparison) -> None:
    trades = comparison["always long"]
    assert set(trades.side.tolist()) == {1}
    assert set(trades.reason.tolist()) == {HORIZON}
    assert len(trades) > 0.8 * 2 * 2_475 / (HOLD + 1)


def test_random_entries_have_the_strategys_number_of_trades_and_holding_time(comparison: Comparison) -> None:
    trades, draws = comparison["random entries"], comparison.by_name["random entries"].draws
    assert len(trades) == pytest.approx(draws * len(comparison.strategy), rel=0.1)
    held, of_strategy = (float((each.exit_ms - each.entry_ms).mean()) for each in (trades, comparison.strategy))
    assert held == pytest.approx(of_strategy, rel=0.1)


@pytest.mark.parametrize(("name", "direction"), [("momentum", 1), ("reversal", -1)])
def test_momentum_and_reversal_trade_the_largest_past_changes(comparison: Comparison, name: str, direction: int) -> None:
    trades = comparison[name]
    for at, coin in enumerate(comparison.coins):
        close = coin.candles.columns.close
        change = direction * (close[HOLD:] / close[:-HOLD] - 1.0)
        signals = trades.signal[trades.coin == at]
        strongest = np.sort(change[coin.signal - HOLD])[-comparison.signals[at]]
        assert (change[signals - HOLD] >= strongest).all()
        assert len(signals) > comparison.signals[at] / (HOLD + 1) / 2


def test_shuffled_predictions_have_no_skill_and_the_same_values(comparison: Comparison) -> None:
    assert bps(comparison.strategy) > 5
    assert abs(bps(comparison["shuffled labels"])) < bps(comparison.strategy) / 2
    shuffled: list[PredictedCoin] = []
    context = BaselineContext(
        comparison.coins,
        STRATEGY,
        comparison.strategy,
        comparison.signals,
        1_000.0,
        lambda coins: shuffled.extend(coins) or comparison.strategy,
    )
    baselines(context)
    for coin in shuffled[:2]:
        original = comparison.coins[shuffled.index(coin)]
        np.testing.assert_array_equal(np.sort(coin.predicted_pct[:, END]), np.sort(original.predicted_pct[:, END]))


def test_perfect_foresight_is_the_best(comparison: Comparison) -> None:
    others = [bps(each.trades) for each in comparison.by_name.values() if each.name != "perfect foresight, all trades"]
    assert bps(comparison["perfect foresight, all trades"]) > max(*others, bps(comparison.strategy))


def test_baselines_are_reproducible(comparison: Comparison) -> None:
    for each in baselines(comparison.context):
        np.testing.assert_array_equal(each.trades.net, comparison[each.name].net)
