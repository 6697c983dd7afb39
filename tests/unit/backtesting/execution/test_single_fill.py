"""One order is filled on a part of the candles as on all of them."""

import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.single_fill import SingleFill, SingleFills
from tests.support.backtest_markets import flat, free_except, market, orders, random_walk

DRY = market([(*flat(), 1e6 if at < 70 else 0.2 if at % 7 == 0 else 0.0) for at in range(1_500)])
"""The trading nearly stops, so that an exit needs hundreds of candles."""


@pytest.mark.parametrize(
    ("candles", "signals"),
    [(random_walk("DEMOUSD", 400, 1), range(0, 400, 7)), (DRY, [*range(40, 75), 1_480])],
    ids=["random", "exits over hundreds of candles"],
)
def test_fills_are_those_on_all_candles(candles, signals):  # type: ignore[no-untyped-def]
    rules = free_except(volume_share_pct=50.0, trailing_candles=20)
    single = SingleFills(candles, rules)
    filled = 0
    for signal in signals:
        order = orders(signal, hold=5, stop_pct=0.4, stake=1_000.0)
        expected = fill_orders(candles, order, rules)
        found = single.fill(order)
        if not len(expected):
            assert found is None
            continue
        filled += 1
        entry_at = int(expected.entries.entry_at[0])
        assert found == SingleFill(
            bool(expected.filled[0]),
            entry_at,
            int(candles.open_time[entry_at]),
            float(expected.entries.first_price[0]),
            float(expected.orders.stake[0]),
            int(candles.open_time[expected.exit_at[0]]),
        )
    assert filled > 20
