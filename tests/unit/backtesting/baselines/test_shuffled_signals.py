"""Signals on other days."""

import numpy as np
import pytest

from coinfarm.backtesting.baselines.shuffled_signals import SignalShuffle
from tests.support.backtest_markets import noisy_predictions, orders, random_walk


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_orders_move_in_blocks_to_other_predictions(interval: str) -> None:
    coin = noisy_predictions(random_walk("DEMOUSD", 1_000, 1, interval), 20, 3)
    placed = orders(*coin.signal[::7].tolist())
    moved = SignalShuffle(coin, placed).orders(np.random.default_rng(0))
    assert len(moved) == len(np.unique(moved.signal)) == len(placed)
    assert np.isin(moved.signal, coin.signal).all()
    assert (moved.signal != placed.signal).mean() > 0.8
    # Within a block, the distances stay.
    assert (np.diff(moved.signal) == 7).mean() > 0.6
    assert (np.diff(moved.signal) > 0).all()


def test_limit_prices_keep_their_distance_from_the_close() -> None:
    coin = noisy_predictions(random_walk("DEMOUSD", 1_000, 1), 20, 3)
    placed = orders(*coin.signal[::7].tolist(), limit_price=1.0)
    close = coin.candles.columns.close
    placed.limit_price[:] = 0.99 * close[placed.signal]
    moved = SignalShuffle(coin, placed).orders(np.random.default_rng(0))
    np.testing.assert_allclose(moved.limit_price, 0.99 * close[moved.signal])
