"""Which orders are placed when positions are limited."""

import pytest

from coinfarm.backtesting.execution.position_schedule import PositionLimits
from tests.support.backtest_markets import FREE, flat, market, orders
from tests.support.simulated_trades import trades, trades_of_coins


def test_the_earliest_order_is_placed_if_positions_are_limited() -> None:
    coins = [market([flat()] * 12, symbol=f"DEMO{name}") for name in "AB"]
    found = trades_of_coins(coins, [orders(1, 5, hold=3), orders(0, 1, 2, 5, hold=3)], FREE, PositionLimits(total=1))
    assert list(zip(found.coin.tolist(), found.signal.tolist(), strict=True)) == [(1, 0), (0, 5)]


def test_a_coin_may_have_several_positions() -> None:
    found = trades(market([flat()] * 12), orders(*range(8), hold=3), FREE, PositionLimits(per_coin=2))
    assert found.signal.tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("limits", "placed"),
    [
        pytest.param(PositionLimits(3, total_exposure=2_000), [(0, 0), (1, 0), (0, 4), (1, 4)], id="of all coins"),
        pytest.param(PositionLimits(3, coin_exposure=1_999), [(0, 0), (1, 0), (0, 4), (1, 4)], id="of each coin"),
        pytest.param(
            PositionLimits(3, coin_exposure=2_000, total_exposure=3_000), [(0, 0), (1, 0), (0, 1), (0, 4), (1, 4), (0, 5)], id="both"
        ),
        pytest.param(PositionLimits(3, total_exposure=999), [], id="less than one order"),
    ],
)
def test_an_order_that_would_exceed_the_exposure_is_not_placed(limits: PositionLimits, placed: list[tuple[int, int]]) -> None:
    coins = [market([flat()] * 12, symbol=f"DEMO{name}") for name in "AB"]
    found = trades_of_coins(coins, [orders(*range(6), hold=3), orders(*range(6), hold=3)], FREE, limits)
    assert list(zip(found.coin.tolist(), found.signal.tolist(), strict=True)) == placed


def test_a_smaller_order_fits_into_the_exposure_that_is_left() -> None:
    coins = [market([flat()] * 12, symbol=f"DEMO{name}") for name in "AB"]
    wanted = [orders(0, hold=3), orders(0, hold=3, stake=500.0)]
    found = trades_of_coins(coins, wanted, FREE, PositionLimits(total_exposure=1_500))
    assert found.stake.tolist() == [1_000, 500]
