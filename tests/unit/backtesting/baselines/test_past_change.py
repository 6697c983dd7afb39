"""Momentum and reversal."""

from dataclasses import replace

import numpy as np
import pytest

from coinfarm.backtesting.baselines.opportunities import ExitTimes, find_opportunities
from coinfarm.backtesting.baselines.past_change import PastChange, trailing_rank
from coinfarm.backtesting.baselines.trade_plan import TradePlan
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.candles import Candles
from image_render.windows import Columns
from tests.support.backtest_markets import noisy_predictions, random_walk
from tests.support.baseline_markets import strategy_with

HORIZON = 5


def plan_of(signals: np.ndarray, hold: int = 3) -> TradePlan:
    count = len(signals)
    return TradePlan(np.zeros(count, np.int64), signals, np.ones(count, np.int8), np.full(count, hold), np.full(count, 50.0))


def trade(coin: PredictedCoin, plan: TradePlan, direction: int = 1, *, short: bool = True) -> Orders:
    strategy = strategy_with(entry={"allow_short": short})
    of_side = {side: find_opportunities(coin, strategy, 100.0, side) for side in ((1, -1) if short else (1,))}
    changes = PastChange(coin, of_side, ExitTimes(coin.candles, strategy.market), HORIZON)
    return changes.orders(plan, direction, 1)


def coin_of(count: int = 3_000) -> PredictedCoin:
    return noisy_predictions(random_walk("DEMOUSD", count, 4), 20, 9)


def changed_from(coin: PredictedCoin, first: int) -> PredictedCoin:
    """Other prices and volumes from one candle on."""
    other = random_walk("DEMOUSD", len(coin.candles), 77)
    candles = coin.candles
    columns = Columns(
        *(np.concatenate([mine[:first], theirs[first:]]) for mine, theirs in zip(candles.columns, other.columns, strict=True))
    )
    filled = np.concatenate([candles.filled[:first], other.filled[first:]])
    return replace(coin, candles=Candles(candles.symbol, candles.interval, candles.open_time, columns, filled))


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("short", [True, False])
def test_does_not_depend_on_later_candles(direction: int, short: bool) -> None:
    coin, plan = coin_of(), plan_of(np.arange(100, 2_900, 40))
    at = 1_500
    before, after = trade(coin, plan, direction, short=short), trade(changed_from(coin, at), plan, direction, short=short)
    early = [each.signal[each.signal + 1 < at - 10].tolist() for each in (before, after)]
    assert len(early[0]) > 25
    assert early[0] == early[1]
    assert before.signal.tolist() != after.signal.tolist()


@pytest.mark.parametrize("direction", [1, -1])
def test_follows_or_opposes_the_change_over_the_last_horizon(direction: int) -> None:
    coin, plan = coin_of(), plan_of(np.arange(100, 2_900, 40))
    found = trade(coin, plan, direction)
    close = coin.candles.columns.close
    change = close[found.signal] / close[found.signal - HORIZON] - 1.0
    np.testing.assert_array_equal(np.sign(change), direction * found.side)
    of_all = np.abs(close[HORIZON:] / close[:-HORIZON] - 1.0)
    assert np.median(np.abs(change)) > np.quantile(of_all, 0.75)


def test_trades_come_when_those_of_the_strategy_do() -> None:
    coin = coin_of()
    plan = plan_of(np.concatenate([np.arange(500, 800, 10), np.arange(2_000, 2_600, 20)]))
    found = trade(coin, plan)
    assert len(found) == len(plan) == 60
    # None is entered before the trade of the strategy that allows it, but near the end.
    assert (found.signal >= plan.signal)[:55].all()
    assert np.median(found.signal - plan.signal) < 90


@pytest.mark.parametrize("count", [1, 3, 20, 200])
def test_makes_the_strategys_number_of_trades_with_its_holding_times_and_stakes(count: int) -> None:
    coin = coin_of()
    plan = plan_of(np.linspace(50, 2_990, count).astype(np.int64))
    plan = replace(plan, hold=1 + np.arange(count) % 4, stake=10.0 + np.arange(count) % 50)
    found = trade(coin, plan)
    assert (found.hold.tolist(), found.stake.tolist()) == (plan.hold.tolist(), plan.stake.tolist())


@pytest.mark.parametrize("direction", [1, -1])
def test_makes_all_trades_although_the_market_is_quiet_in_the_end(direction: int) -> None:
    coin = coin_of(6_000)
    columns, quiet = coin.candles.columns, np.arange(6_000) >= 5_000
    level = columns.close[5_000]
    prices = [np.where(quiet, level + 0.05 * (column - level), column) for column in columns[:4]]
    calm = replace(coin, candles=replace(coin.candles, columns=Columns(*prices, columns.volume)))
    plan = plan_of(np.linspace(50, 5_990, 40).astype(np.int64), hold=5)
    assert len(trade(calm, plan, direction, short=False)) == len(plan)


def test_the_trailing_rank_is_the_share_of_smaller_past_values() -> None:
    values = np.random.default_rng(0).random(12_000)
    rank = trailing_rank(values)
    assert np.isnan(rank[:10]).all()
    assert rank[10:] == pytest.approx(values[10:], abs=0.45)
    assert rank[2_000:] == pytest.approx(values[2_000:], abs=0.03)
    changed = values.copy()
    changed[7_000:] = 0.0
    np.testing.assert_array_equal(rank[:7_000], trailing_rank(changed)[:7_000])
