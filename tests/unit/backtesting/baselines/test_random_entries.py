"""The strategy's trades laid out again."""

import numpy as np
import pytest

from coinfarm.backtesting.baselines.baseline_strategies import baselines
from coinfarm.backtesting.baselines.opportunities import ExitTimes, find_opportunities
from coinfarm.backtesting.baselines.random_entries import Layouts
from coinfarm.backtesting.baselines.trade_plan import TradePlan
from coinfarm.backtesting.predicted_coin import PredictedCoin
from tests.support.backtest_markets import flat, market, noisy_predictions, random_walk
from tests.support.baseline_markets import context_of, strategy_with


def layouts_of(coin: PredictedCoin, plan: TradePlan, stake: float = 100.0, **market_fields: float) -> Layouts:
    strategy = strategy_with(market={"min_order": 0} | market_fields)
    of_side = {1: [find_opportunities(coin, strategy, stake, 1)]}
    first = int(coin.candles.open_time[0]) // coin.candles.interval_ms
    return Layouts(plan, [np.arange(len(plan))], of_side, [ExitTimes(coin.candles, strategy.market)], [first])


def plan_of(*hold: int, stake: float = 50.0) -> TradePlan:
    count = len(hold)
    return TradePlan(np.zeros(count, np.int64), np.arange(count), np.ones(count, np.int8), np.array(hold), np.full(count, stake))


def flat_coin(count: int = 60, stride: int = 1, **kwargs: object) -> PredictedCoin:
    signal = np.arange(0, count - 10, stride)
    return PredictedCoin(market([flat()] * count), signal, np.zeros((len(signal), 3)), np.zeros(len(signal), np.int64))


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("hold", [(4,), (4, 4, 4), (1, 9, 2, 5), (5,) * 8])
def test_trades_do_not_overlap_and_are_complete(hold: tuple[int, ...], stride: int) -> None:
    layouts, generator = layouts_of(flat_coin(stride=stride), plan_of(*hold)), np.random.default_rng(0)
    for _ in range(20):
        (found,) = layouts.random_orders(generator)
        assert sorted(found.hold.tolist()) == sorted(hold)
        assert set((found.signal % stride).tolist()) == {0}
        assert (found.signal[1:] >= (found.signal + 1 + found.hold)[:-1]).all()


def test_every_prediction_is_as_likely() -> None:
    layouts, generator = layouts_of(flat_coin(), plan_of(4)), np.random.default_rng(0)
    signals = [layouts.random_orders(generator)[0].signal[0] for _ in range(5_000)]
    counts = np.bincount(signals, minlength=50)
    assert (counts[:45] > 60).all()
    assert (counts[:45] < 170).all()


def test_regular_entries_have_equal_pauses() -> None:
    (found,) = layouts_of(flat_coin(200), plan_of(4, 4, 4, 4)).regular_orders(1)
    pauses = np.diff(found.signal)
    assert pauses.max() - pauses.min() <= 1


def test_as_many_trades_as_fit_are_placed() -> None:
    (found,) = layouts_of(flat_coin(60), plan_of(*[9] * 8)).random_orders(np.random.default_rng(0))
    assert len(found) == 5


def test_the_largest_stakes_are_where_there_is_most_room() -> None:
    rows = [(*flat(), 1_000.0 if at >= 100 else 1.0) for at in range(200)]
    coin = PredictedCoin(market(rows), np.arange(10, 180), np.zeros((170, 3)), np.zeros(170, np.int64))
    plan = TradePlan(np.zeros(8, np.int64), np.arange(8), np.ones(8, np.int8), np.full(8, 3), np.array([10.0, 500.0] * 4))
    layouts = layouts_of(coin, plan, 500.0, volume_share_pct=100, trailing_candles=2)
    for seed in range(10):
        (found,) = layouts.random_orders(np.random.default_rng(seed))
        late = found.signal >= 100
        assert found.stake[late].min(initial=np.inf) >= found.stake[~late].max(initial=0.0)


@pytest.mark.parametrize("size", [{"max_positions": 1}, {"max_positions": 2}, {"max_exposure_pct": 50}])
def test_coins_whose_positions_are_limited_together_take_turns(size: dict[str, float]) -> None:
    coins = [noisy_predictions(random_walk(symbol, 2_000, seed), 20, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB", "DEMOC"))]
    context = context_of(coins, strategy_with(size={"stake_pct": 25} | size), 0.25)
    draws = next(each for each in baselines(context) if each.name == "random entries").draws
    mean = np.mean([len(draw) for draw in draws])
    assert 0.8 * len(context.trades) <= mean <= len(context.trades)
