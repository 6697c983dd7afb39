"""Small backtests of synthetic candles of several intervals, in memory."""

import numpy as np

from coinfarm.backtesting.backtest import backtest_coins
from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.synthetic import START_OF_2026_MS, generate

SAMPLES = 100


def interval_backtest(interval: str, days: int, *, known_share: float = 0.0, min_end_change_pct: float | None = None) -> BacktestResult:
    """The backtest of predictions that are noise, plus a share of the outcome; with given thresholds nothing is chosen."""
    candles = generate("DEMOBTC", interval, START_OF_2026_MS, days * DAY_MS // interval_ms(interval), seed=4)
    signal = np.arange(200, len(candles) - 31, 10)
    coin = PredictedCoin(candles, signal, np.zeros((len(signal), 3)), np.zeros(len(signal), np.int64))
    actual = coin.actual_pct(30)
    noise = np.random.default_rng(5).normal(0.0, actual[:, 2].std(), len(signal))
    end = known_share * actual[:, 2] + 0.3 * noise
    size = actual[:, 0].mean()
    coin = coin.with_predictions(np.column_stack([size + np.maximum(end, 0.0), -size + np.minimum(end, 0.0), end]))
    few = {"selection": {"end_change_steps": 3, "rise_to_decline_steps": 2}}
    given = {"entry": {"min_end_change_pct": min_end_change_pct, "min_rise_to_decline": 0.0}}
    strategy = Strategy.model_validate(few if min_end_change_pct is None else given)
    counts = ExclusionCounts(len(signal), 0, 0, 0, 0, 0)
    return backtest_coins([coin], counts, strategy, interval=interval, samples=SAMPLES, check_leaks=False)
