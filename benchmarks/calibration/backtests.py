"""Complete backtests with the default strategy, on synthetic candles: predictions of noise, and of perfect foresight."""

import numpy as np

from coinfarm.backtesting.backtest import backtest_coins
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from image_render.spec import STANDARD

KINDS = ("noise", "foresight")
_INTERVAL, _CANDLES_PER_DAY, _DAYS = "15m", 96, 184
_SIGNAL_STEP = 3
_HORIZON_CANDLES = 30


def conclusion(kind: str, seed: int, samples: int) -> str:
    """The verdict on half a year of one coin: thresholds are chosen on the first half, and tested on the second."""
    candles = generate("DEMOBTC", _INTERVAL, START_OF_2026_MS, _DAYS * DAY_MS // (DAY_MS // _CANDLES_PER_DAY), seed)
    signal = np.arange(STANDARD.window_candles, len(candles) - _HORIZON_CANDLES - 1, _SIGNAL_STEP)
    coin = PredictedCoin(candles, signal, np.zeros((len(signal), 3)), np.zeros(len(signal), np.int64))
    actual = coin.actual_pct(_HORIZON_CANDLES)
    coin = coin.with_predictions(actual if kind == "foresight" else _noise(actual, seed))
    counts = ExclusionCounts(len(signal), 0, 0, 0, 0, 0)
    return str(backtest_coins([coin], counts, Strategy(), interval=_INTERVAL, samples=samples, seed=seed).verdict.conclusion)


def _noise(actual_pct: Values, seed: int) -> Values:
    """Predictions as large as the outcomes, in runs of similar ones, that know nothing."""
    generator = np.random.default_rng(seed)
    slow = np.convolve(generator.standard_normal(len(actual_pct) + 9), np.ones(10) / np.sqrt(10.0), mode="valid")
    end = 0.3 * actual_pct[:, 2].std() * slow
    size = actual_pct[:, 0].mean() * np.exp(0.3 * generator.standard_normal(len(end)))
    return np.column_stack([size + np.maximum(end, 0.0), -size + np.minimum(end, 0.0), end])
