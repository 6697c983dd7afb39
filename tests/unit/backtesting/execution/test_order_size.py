"""Stakes and slippage, which depend only on what is known at the signal's close."""

from math import sqrt

import numpy as np
import pytest

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.order_size import placed_stakes, slippage_shares
from tests.support.backtest_markets import flat, free_except, market, orders
from tests.support.simulated_trades import only, trades


@pytest.mark.parametrize(
    ("volumes", "min_order", "stake"),
    [
        pytest.param([200.0] * 3, 10, 1_000.0, id="enough"),
        pytest.param([50.0] * 3, 10, 500.0, id="less than is wanted"),
        pytest.param([1.0, 50.0, 1e6], 10, 500.0, id="the median"),
        pytest.param([1.0] * 3, 10, 10.0, id="just an order"),
        pytest.param([0.5] * 3, 10, 0.0, id="less than an order"),
        pytest.param([0.0625] * 3, 0, 0.625, id="any order"),
        pytest.param([1e6, 0.0, 0.0], 0, 0.0, id="mostly no trades"),
    ],
)
def test_a_stake_is_limited_to_a_share_of_the_trailing_median_volume(volumes: list[float], min_order: float, stake: float) -> None:
    candles = market([(*flat(), 1e6), *((*flat(), volume) for volume in volumes), *[flat()] * 5])
    placed = placed_stakes(candles, orders(3), Market(trailing_candles=3, min_order=min_order))
    assert placed.tolist() == [stake]


def test_missing_candles_count_as_candles_without_volume() -> None:
    candles = market([flat()] * 8, missing=[1, 2])
    assert len(trades(candles, orders(3), free_except(trailing_candles=3))) == 0
    assert len(trades(candles, orders(3), free_except(trailing_candles=4))) == 1


@pytest.mark.parametrize("volume", [0.001, 1.0, 1e9])
def test_the_volume_of_the_entry_does_not_change_the_stake(volume: float) -> None:
    candles = market([flat(), flat(), (*flat(), volume), *[flat()] * 6])
    assert only(candles, orders(1), free_except(volume_share_pct=10)).stake == 1_000


def test_slippage_grows_with_the_range_of_candles() -> None:
    candles = market([(100, 101, 99, 100), (100, 102, 98, 100), (100, 150, 50, 100), *[flat()] * 5])
    rules = free_except(slippage_bps=2, volatility_slippage=0.1, trailing_candles=2)
    assert slippage_shares(candles, orders(1, 3), rules) * 1e4 == pytest.approx([2 + 30, 2 + 500])
    assert only(candles, orders(1), rules).slippage == pytest.approx(2 * 1_000 * 32 / 1e4)


def test_slippage_grows_with_the_square_root_of_the_size() -> None:
    candles = market([(*flat(), 40.0)] * 9)
    rules = free_except(slippage_bps=2, size_slippage_bps=50)
    small, large = (slippage_shares(candles, orders(1, stake=stake), rules)[0] * 1e4 for stake in (250.0, 1_000.0))
    assert (small, large) == pytest.approx((2 + 50 * sqrt(1 / 16), 2 + 50 * sqrt(1 / 4)))


def test_nothing_later_than_the_signal_changes_size_or_slippage() -> None:
    generator = np.random.default_rng(1)
    rows = [(100, 100 + high, 100 - low, 100, volume) for high, low, volume in generator.uniform(0.1, 9.0, (40, 3))]
    changed = [*rows[:21], *((100, 200, 10, 100, 0.0) for _ in rows[21:])]
    rules = Market(volatility_slippage=0.2, size_slippage_bps=30, trailing_candles=7, min_order=0)
    wanted = orders(*range(21))
    before, after = market(rows), market(changed)
    np.testing.assert_array_equal(placed_stakes(before, wanted, rules), placed_stakes(after, wanted, rules))
    np.testing.assert_array_equal(slippage_shares(before, wanted, rules), slippage_shares(after, wanted, rules))
