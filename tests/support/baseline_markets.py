"""A strategy on synthetic coins, and what its baselines are made from."""

from collections.abc import Sequence
from typing import Any

from coinfarm.backtesting.baselines.baseline_strategies import BaselineContext
from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.period import period_of
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy
from tests.support.backtest_markets import noisy_predictions, random_walk

HOLD = 5


def strategy_with(**tables: dict[str, Any]) -> Strategy:
    """A strategy with a short horizon on a market with enough volume for every stake."""
    base: dict[str, dict[str, Any]] = {
        "exit": {"horizon_candles": HOLD},
        "market": {"volume_share_pct": 100, "min_order": 0},
        "size": {"capital": 200.0},
    }
    return Strategy.model_validate({name: base.get(name, {}) | tables.get(name, {}) for name in base | tables})


def two_coins(count: int = 2_500) -> list[PredictedCoin]:
    return [noisy_predictions(random_walk(symbol, count, seed), 20, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB"))]


def context_of(coins: Sequence[PredictedCoin], strategy: Strategy, min_end_change_pct: float = 0.15, seed: int = 0) -> BaselineContext:
    """The context of a strategy with this threshold."""
    stake = strategy.size.full_stake(len(coins))
    proposals = [propose(strategy, coin, stake, None) for coin in coins]
    orders = [each.rows(each.reach_thresholds(min_end_change_pct, 0.0)).orders for each in proposals]
    fills = [fill_orders(coin.candles, each, strategy.market) for coin, each in zip(coins, orders, strict=True)]
    trades = simulate_trades(tuple(coin.symbol for coin in coins), fills, strategy.size.limits)
    return BaselineContext(coins, strategy, period_of(list(coins), HOLD), trades, orders, stake, seed)
