"""Leaks are found without being asked for, and honest predictions are not mistaken for leaks."""

import numpy as np
import pytest

from coinfarm.backtesting.checks.leaks import find_leaks
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from image_render.windows import Columns
from tests.support.backtest_markets import MINUTE_MS, START_MS

HORIZON = 30


def wild_market(count: int, seed: int) -> Candles:
    """A random walk whose volatility changes with the last moves, as in real markets."""
    generator = np.random.default_rng(seed)
    returns, variance = np.empty(count), 1e-6
    for at, shock in enumerate(generator.standard_normal(count)):
        returns[at] = shock * np.sqrt(variance)
        variance = 3e-8 + 0.87 * variance + 0.1 * returns[at] ** 2
    close = 100.0 * np.exp(np.cumsum(returns))
    opened = np.concatenate([[100.0], close[:-1]])
    above, below = np.abs(generator.standard_normal((2, count))) * np.abs(returns) * 0.5
    columns = Columns(opened, np.maximum(opened, close) * (1 + above), np.minimum(opened, close) * (1 - below), close, np.ones(count))
    return Candles("DEMOUSD", "1m", START_MS + np.arange(count) * MINUTE_MS, columns, np.zeros(count, np.bool_))


def window_predictions(candles: Candles) -> Values:
    """`(n, 3)`: from the last candles before and at each one: reversals of decaying weight, and a range from recent candles."""
    returns = 100.0 * np.diff(np.log(candles.columns.close), prepend=np.log(candles.columns.close[0]))
    sizes = 100.0 * (candles.columns.high / candles.columns.low - 1.0)
    back = np.arange(12)
    reversal = np.convolve(returns, -0.1 * 0.8**back)[: len(returns)]
    size = 1.5 + np.convolve(sizes, 0.3 * 0.8**back)[: len(sizes)]
    crooked = 0.3 * np.tanh(5 * reversal)  # more than what is linear in the features
    return np.column_stack([size + crooked, -size + crooked, 0.2 * crooked])


@pytest.fixture(scope="module")
def coin() -> PredictedCoin:
    candles = wild_market(9_000, 1)
    signal = np.arange(250, len(candles) - HORIZON - 10)
    return PredictedCoin(candles, signal, window_predictions(candles)[signal], np.zeros(len(signal), np.int64))


@pytest.fixture(scope="module")
def actual(coin: PredictedCoin) -> Values:
    return coin.actual_pct(HORIZON)


def test_passes_predictions_from_the_window_and_noise(coin: PredictedCoin, actual: Values) -> None:
    generator = np.random.default_rng(2)
    assert find_leaks([coin], HORIZON) == ()
    noise = np.abs(generator.standard_normal(actual.shape)) * actual.std(axis=0) * (1, -1, 1)
    assert find_leaks([coin.with_predictions(noise)], HORIZON) == ()
    assert find_leaks([coin.with_predictions(np.zeros(actual.shape))], HORIZON) == ()


def test_passes_what_happened_in_the_last_horizon(coin: PredictedCoin) -> None:
    earlier = PredictedCoin(coin.candles, coin.signal - HORIZON, coin.predicted_pct, coin.filled_candles)
    assert find_leaks([coin.with_predictions(earlier.actual_pct(HORIZON))], HORIZON) == ()


@pytest.mark.parametrize("shift", [1, 2, 5])
def test_finds_predictions_of_later_windows(coin: PredictedCoin, shift: int) -> None:
    values = window_predictions(coin.candles)[coin.signal + shift]
    (found,) = find_leaks([coin.with_predictions(values)], HORIZON)
    assert f"next {shift} candle" in found


def test_finds_a_twentieth_of_the_outcome_in_every_prediction(coin: PredictedCoin, actual: Values) -> None:
    assert len(find_leaks([coin.with_predictions(0.95 * coin.predicted_pct + 0.05 * actual)], HORIZON)) == 1


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_counts_rows_that_are_the_outcome_and_names_the_first(coin: PredictedCoin, actual: Values, precision: type) -> None:
    chosen = np.random.default_rng(3).random(len(coin)) < 0.05
    values = np.where(chosen[:, None], actual.astype(precision), coin.predicted_pct)
    (found,) = find_leaks([coin.with_predictions(values)], HORIZON)
    assert f"{chosen.sum():,}" in found
    assert "DEMOUSD at 2019-05-01" in found


def test_says_nothing_about_few_predictions(coin: PredictedCoin, actual: Values) -> None:
    few = slice(0, 100)
    assert find_leaks([coin.rows(few)], HORIZON) == find_leaks([coin.rows(slice(0, 0))], HORIZON) == ()
    assert len(find_leaks([coin.rows(few).with_predictions(actual[few])], HORIZON)) == 1


def test_a_market_that_stands_still_proves_nothing(coin: PredictedCoin) -> None:
    flat = np.full(len(coin.candles), 100.0)
    candles = Candles("DEMOUSD", "1m", coin.candles.open_time, Columns(flat, flat, flat, flat, flat), coin.candles.filled)
    still = PredictedCoin(candles, coin.signal, np.zeros((len(coin), 3)), coin.filled_candles)
    assert find_leaks([still], HORIZON) == ()


@pytest.mark.parametrize("constant_range", [True, False])
def test_flags_a_shift_of_symmetric_predictions(coin: PredictedCoin, constant_range: bool) -> None:
    """Rise and decline of the same size say nothing about the direction: the end change does."""
    values = window_predictions(coin.candles)
    size = np.full(len(values), 1.5) if constant_range else values[:, 0]
    symmetric = np.column_stack([size, -size, 0.2 * np.tanh(5 * values[:, 2])])
    assert find_leaks([coin.with_predictions(symmetric[coin.signal])], HORIZON) == ()
    (found,) = find_leaks([coin.with_predictions(symmetric[coin.signal + 1])], HORIZON)
    assert "1 candle" in found
