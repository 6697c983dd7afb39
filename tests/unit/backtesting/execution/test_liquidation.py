"""Short positions whose loss uses up their margin."""

import pytest

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.trades import HORIZON, LIQUIDATION, STOP
from tests.support.backtest_markets import flat, free_except, market, orders
from tests.support.simulated_trades import only

RULES = free_except(maintenance_margin_pct=10, liquidation_fee_bps=100)


@pytest.mark.parametrize(
    ("candle", "stop_pct", "exit_price", "reason"),
    [
        pytest.param((100, 189, 100, 150), float("inf"), 150, HORIZON, id="not reached"),
        pytest.param((100, 190, 100, 150), float("inf"), 190, LIQUIDATION, id="reached"),
        pytest.param((195, 260, 190, 250), float("inf"), 195, LIQUIDATION, id="jumped past"),
        pytest.param((100, 260, 100, 150), 20.0, 120, STOP, id="the stop is nearer"),
        pytest.param((195, 260, 190, 250), 20.0, 195, LIQUIDATION, id="jumped past both"),
        pytest.param((100, 260, 100, 150), 95.0, 190, LIQUIDATION, id="the stop is farther"),
    ],
)
def test_a_short_position_is_liquidated_at_its_maintenance_margin(
    candle: tuple[float, ...], stop_pct: float, exit_price: float, reason: int
) -> None:
    candles = market([flat(), flat(), candle, *[flat(150)] * 6])
    trade = only(candles, orders(0, side=-1, stop_pct=stop_pct), RULES)
    assert (trade.reason, trade.exit_price) == (reason, pytest.approx(exit_price))
    fee = 10 * exit_price * 0.01 if reason == LIQUIDATION else 0.0
    assert trade.fees == pytest.approx(fee)
    assert trade.gross - trade.fees == pytest.approx(max(1_000 - 10 * exit_price - fee, -1_000))


@pytest.mark.parametrize("jump", [(100, 260, 100, 260), (260, 260, 260, 260), (1_000, 1_000, 1_000, 1_000)])
@pytest.mark.parametrize("volume", [1e6, 0.5])
def test_a_short_position_never_loses_more_than_its_stake(jump: tuple[float, ...], volume: float) -> None:
    candles = market([*[flat()] * 3, (*jump, volume), *[(*flat(260), 0.5)] * 6, flat(260)])
    trade = only(candles, orders(1, side=-1), Market(min_order=0, maker_fee_bps=50, slippage_bps=50))
    assert trade.reason == LIQUIDATION
    assert trade.gross - trade.slippage - trade.fees - trade.borrow + 1e-9 >= -1_000


def test_a_jump_at_the_horizon_liquidates() -> None:
    candles = market([*[flat()] * 4, flat(195), *[flat(195)] * 2])
    assert only(candles, orders(0, side=-1), RULES).reason == LIQUIDATION


def test_a_long_position_is_not_liquidated() -> None:
    candles = market([flat(), flat(), (100, 100, 1, 1), *[flat(1)] * 6])
    assert only(candles, orders(0), RULES).reason == HORIZON
