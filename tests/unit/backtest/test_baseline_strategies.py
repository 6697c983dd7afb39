"""What the strategy is compared with."""

import numpy as np
import pytest

from coinfarm.backtest.baseline_strategies import Baseline, BaselineContext, baselines
from coinfarm.backtest.fills import fill_orders
from coinfarm.backtest.predicted_coin import END, PredictedCoin
from coinfarm.backtest.proposals import propose
from coinfarm.backtest.simulation import simulate_trades
from coinfarm.backtest.strategy import Strategy
from coinfarm.backtest.trades import HORIZON, Trades
from tests.support.backtest_markets import predicted, wandering

HOLD = 5
STRATEGY = Strategy.model_validate({"exit": {"horizon_candles": HOLD}, "market": {"volume_share_pct": 100, "min_order": 0}})


class BaselineResult:
    """The baselines of two coins, and what they were made from."""

    def __init__(self) -> None:
        self.coins = [predicted(wandering(symbol, 2_500, seed), 20, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB"))]
        self.signals = [len(self._proposals(coin)[0]) for coin in self.coins]
        self.strategy = self.trade(self.coins)
        self.setting = BaselineContext(self.coins, STRATEGY, self.strategy, self.signals, 1_000.0, self.trade)
        self.by_name = {each.name: each for each in baselines(self.setting)}

    def __getitem__(self, name: str) -> Trades:
        return self.by_name[name].trades

    def trade(self, coins: list[PredictedCoin]) -> Trades:  # type: ignore[override]
        fills = [fill_orders(coin.candles, self._proposals(coin)[1].orders, STRATEGY.market) for coin in coins]
        return simulate_trades(("DEMOA", "DEMOB"), fills, STRATEGY.market)

    def _proposals(self, coin):  # type: ignore[no-untyped-def]
        proposals = propose(STRATEGY, coin, 1_000.0, None)
        reached = proposals.rows(proposals.reach_thresholds(0.15, 0.0))
        return reached.orders.signal, reached


@pytest.fixture(scope="module")
def compared() -> BaselineResult:
    return BaselineResult()


def bps(trades: Trades) -> float:
    return float(1e4 * trades.gross.sum() / trades.stake.sum())


def test_they_are_all_there(compared: BaselineResult) -> None:
    names = ["always long", "random entries", "momentum", "reversal", "shuffled labels", "perfect foresight, all trades"]
    assert list(compared.by_name) == names
    assert all(isinstance(each, Baseline) and each.meaning for each in compared.by_name.values())


def test_always_long_holds_whenever_it_can(compared: BaselineResult) -> None:
    trades = compared["always long"]
    assert set(trades.side.tolist()) == {1}
    assert set(trades.reason.tolist()) == {HORIZON}
    assert len(trades) > 0.8 * 2 * 2_475 / (HOLD + 1)


def test_random_entries_are_as_many_and_as_long_as_the_strategys(compared: BaselineResult) -> None:
    trades, draws = compared["random entries"], compared.by_name["random entries"].draws
    assert len(trades) == pytest.approx(draws * len(compared.strategy), rel=0.1)
    held, of_strategy = (float((each.exit_ms - each.entry_ms).mean()) for each in (trades, compared.strategy))
    assert held == pytest.approx(of_strategy, rel=0.1)


@pytest.mark.parametrize(("name", "direction"), [("momentum", 1), ("reversal", -1)])
def test_the_past_is_followed_or_bet_against_where_it_moved_most(compared: BaselineResult, name: str, direction: int) -> None:
    trades = compared[name]
    for at, coin in enumerate(compared.coins):
        close = coin.candles.columns.close
        change = direction * (close[HOLD:] / close[:-HOLD] - 1.0)
        mine = trades.signal[trades.coin == at]
        strongest = np.sort(change[coin.signal - HOLD])[-compared.signals[at]]
        assert (change[mine - HOLD] >= strongest).all()
        assert len(mine) > compared.signals[at] / (HOLD + 1) / 2


def test_shuffled_predictions_know_nothing_and_are_otherwise_the_same(compared: BaselineResult) -> None:
    assert bps(compared.strategy) > 5
    assert abs(bps(compared["shuffled labels"])) < bps(compared.strategy) / 2
    shuffled: list[PredictedCoin] = []
    context = BaselineContext(
        compared.coins, STRATEGY, compared.strategy, compared.signals, 1_000.0, lambda coins: shuffled.extend(coins) or compared.strategy
    )
    baselines(context)
    for coin in shuffled[:2]:
        original = compared.coins[shuffled.index(coin)]
        np.testing.assert_array_equal(np.sort(coin.predicted_pct[:, END]), np.sort(original.predicted_pct[:, END]))


def test_nothing_is_better_than_to_know_what_comes(compared: BaselineResult) -> None:
    others = [bps(each.trades) for each in compared.by_name.values() if each.name != "perfect foresight, all trades"]
    assert bps(compared["perfect foresight, all trades"]) > max(*others, bps(compared.strategy))


def test_they_are_the_same_each_time(compared: BaselineResult) -> None:
    for each in baselines(compared.setting):
        np.testing.assert_array_equal(each.trades.net, compared[each.name].net)
