"""Exits larger than their candle's volume allows, on candles typed by hand. A position of 1,000 at 100 is 10 coins."""

import pytest

from coinfarm.backtesting.execution.trades import HORIZON, STOP, TAKE_PROFIT
from tests.support.backtest_markets import MINUTE_MS, START_MS, flat, free_except, market, orders
from tests.support.simulated_trades import only

USUAL = [flat()] * 4
"""Large volumes up to the entry, in the last of them."""


@pytest.mark.parametrize(("side", "stop", "rest"), [(1, 99.0, 95.0), (-1, 101.0, 104.0)], ids=["long", "short"])
def test_the_rest_of_a_stop_is_filled_in_the_next_traded_candles_at_their_worst_price(side: int, stop: float, rest: float) -> None:
    candles = market([*USUAL, (100, 101, 99, 100, 4.0), flat(), (96, 104, 95, 97, 6.0), *[flat(97)] * 6], missing=[5])
    trade = only(candles, orders(2, side=side, stop_pct=1.0))
    assert trade.exit_price == pytest.approx(0.4 * stop + 0.6 * rest)
    assert (trade.reason, trade.exit_ms) == (STOP, START_MS + 7 * MINUTE_MS)


@pytest.mark.parametrize(
    ("volume", "price", "minutes"), [(10.0, 110.0, 6), (9.0, 0.9 * 110 + 0.1 * 105, 8)], ids=["at its open", "the rest later"]
)
def test_an_exit_at_the_horizon_takes_a_share_of_the_volume(volume: float, price: float, minutes: int) -> None:
    candles = market([*USUAL, flat(), flat(), (110, 111, 105, 109, volume), (109, 111, 105, 110, 1.0), *[flat()] * 5])
    trade = only(candles, orders(2, hold=3))
    assert trade.exit_price == pytest.approx(price)
    assert (trade.reason, trade.exit_ms) == (HORIZON, START_MS + minutes * MINUTE_MS)


def test_each_candle_fills_a_tenth_of_its_volume() -> None:
    candles = market([*USUAL, flat(), flat(), *[(100, 101, 90 - at, 100, 20.0) for at in range(5)], *[flat()] * 5])
    trade = only(candles, orders(2, hold=3), free_except(volume_share_pct=10))
    assert trade.exit_price == pytest.approx((100 + 89 + 88 + 87 + 86) / 5)


@pytest.mark.parametrize(("side", "price"), [(1, 120.0), (-1, 80.0)], ids=["long", "short"])
def test_the_rest_of_an_exit_is_never_filled_at_a_better_price(side: int, price: float) -> None:
    candles = market([*USUAL, flat(), flat(), (100, 100, 100, 100, 4.0), *[flat(price)] * 6])
    assert only(candles, orders(2, side=side, hold=3)).exit_price == 100


def test_the_last_candle_fills_everything() -> None:
    candles = market([*USUAL, flat(), flat(), (100, 101, 99, 100, 1.0), (100, 101, 98, 100, 1.0), (99, 100, 80, 99, 1.0)])
    assert only(candles, orders(2, hold=3)).exit_price == pytest.approx((100 + 98 + 8 * 80) / 10)


@pytest.mark.parametrize(
    ("later", "price", "reason"),
    [
        pytest.param([(101, 101.5, 100.5, 101), (101, 103, 101, 102)], 102, TAKE_PROFIT, id="reached again"),
        pytest.param([(101, 101.5, 100.5, 101), (101, 103, 98, 102)], 0.3 * 102 + 0.7 * 99, STOP, id="stopped"),
        pytest.param([(101, 101.5, 100.5, 101)] * 9, 0.3 * 102 + 0.7 * 101, HORIZON, id="at the horizon"),
    ],
)
def test_the_rest_of_a_take_profit_stays_open(later: list[tuple[float, ...]], price: float, reason: int) -> None:
    candles = market([*USUAL, (100, 103, 100, 101, 3.0), *later, *[flat(101)] * 9])
    trade = only(candles, orders(2, stop_pct=1.0, take_pct=2.0, hold=5))
    assert trade.exit_price == pytest.approx(price)
    assert trade.reason == reason


def test_what_a_take_profit_filled_pays_the_maker_fee_and_no_slippage() -> None:
    rules = free_except(maker_fee_bps=5, taker_fee_bps=20, slippage_bps=100)
    candles = market([*USUAL, (100, 103, 100, 101, 3.0), *[flat(101)] * 9])
    trade = only(candles, orders(2, take_pct=2.0, hold=3), rules)
    assert trade.slippage == pytest.approx(10 + 7.07)
    assert trade.fees == pytest.approx((1_010 * 20 + 306 * 5 + 707 * 0.99 * 20) / 1e4)
