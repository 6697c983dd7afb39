"""Opportunities and exits, compared with what orders are filled with."""

from typing import Any

import numpy as np
import pytest

from coinfarm.backtesting.baselines.opportunities import ExitTimes, find_opportunities
from coinfarm.backtesting.execution.fills import fill_orders
from tests.support.backtest_markets import noisy_predictions, random_walk
from tests.support.baseline_markets import strategy_with

LIMIT = {"order": "limit", "limit_offset_bps": 5.0, "limit_valid_candles": 3}


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("entry", "market"),
    [
        pytest.param({}, {}, id="market orders"),
        pytest.param({}, {"volume_share_pct": 3, "min_order": 60, "trailing_candles": 2}, id="little volume"),
        pytest.param(LIMIT, {"volume_share_pct": 3, "trailing_candles": 2}, id="limit orders"),
    ],
)
def test_orders_at_all_opportunities_are_filled_as_expected(side: int, entry: dict[str, Any], market: dict[str, Any]) -> None:
    coin = noisy_predictions(random_walk("DEMOUSD", 600, 3), 20, 5)
    strategy = strategy_with(entry=entry | {"allow_short": True}, market=market)
    found = find_opportunities(coin, strategy, 100.0, side)
    rows, hold = np.arange(len(found)), np.full(len(found), 4)
    orders = found.orders(rows, hold, np.full(len(found), 100.0))
    fills = fill_orders(coin.candles, orders.rows(slice(0, -10)), strategy.market)
    assert len(fills) == len(found) - 10 > 100
    np.testing.assert_array_equal(fills.orders.stake, found.room[:-10])
    np.testing.assert_array_equal(fills.filled, found.filled[:-10])
    np.testing.assert_array_equal(fills.entries.entry_at, found.entry_at[:-10])
    # A short sale at worse prices sells more, and so takes longer to buy back.
    amount = found.room[:-10] / fills.entries.price
    exits = ExitTimes(coin.candles, strategy.market)
    expected = exits.exit_at(found.entry_at[:-10], hold[:-10], amount * (1 - 1e-9))
    np.testing.assert_array_equal(expected[fills.filled], fills.exits.exit_at[fills.filled])
    for at in (0, 50, 99):
        assert exits.exit_of(int(found.entry_at[at]), 4, float(amount[at] * (1 - 1e-9))) == expected[at]


def test_an_exit_after_the_last_candle_is_the_number_of_candles() -> None:
    candles = random_walk("DEMOUSD", 50, 3)
    exits = ExitTimes(candles, strategy_with().market)
    assert exits.exit_of(45, 10, 1.0) == exits.exit_of(10, 3, 1e9) == 50
