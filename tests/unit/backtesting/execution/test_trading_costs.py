"""Slippage, fees and interest of trades."""

import pytest

from coinfarm.backtesting.execution.market import CoinCosts
from tests.support.backtest_markets import FREE, flat, free_except, market, orders
from tests.support.simulated_trades import only, trades, trades_of_coins


@pytest.mark.parametrize(("side", "entered", "left"), [(1, 100.1, 109.89), (-1, 99.9, 110.11)], ids=["long", "short"])
def test_slippage_is_paid_on_entry_and_exit(side: int, entered: float, left: float) -> None:
    candles = market([flat(), flat(), flat(), flat(), (110, 111, 109, 110), flat()])
    found = trades(candles, orders(0, side=side), free_except(slippage_bps=10))
    assert found.net[0] == pytest.approx(side * (left - entered) * 10)
    assert found.gross[0] == pytest.approx(side * 100.0)


@pytest.mark.parametrize(
    ("candle", "fee_bps"),
    [((100, 100, 100, 100), 20.0), ((100, 103, 100, 100), 10.0 + 5.0 * 1.02), ((100, 100, 98, 98), 10.0 + 10.0 * 0.99)],
    ids=["horizon: taker twice", "take-profit: maker on the way out", "stop: taker twice"],
)
def test_fees_are_paid_on_entry_and_exit(candle: tuple[float, ...], fee_bps: float) -> None:
    rules = free_except(maker_fee_bps=5, taker_fee_bps=10)
    found = trades(market([flat(), flat(), candle, *[flat()] * 4]), orders(0, stop_pct=1.0, take_pct=2.0), rules)
    assert found.fees[0] == pytest.approx(1_000 * fee_bps / 10_000)


@pytest.mark.parametrize(("side", "borrow"), [(-1, 1_000 * 30 / 1e4 * 3 / 1_440), (1, 0.0)], ids=["short", "long"])
def test_a_short_position_pays_interest_for_the_time_that_it_is_held(side: int, borrow: float) -> None:
    trade = only(market([flat()] * 8), orders(0, side=side, hold=3), free_except(borrow_bps_per_day=30))
    assert trade.borrow == pytest.approx(borrow)
    assert trade.gross == 0


def test_a_coin_may_have_its_own_costs() -> None:
    coins = [market([flat()] * 8, symbol=symbol) for symbol in ("DEMOA", "DEMOB")]
    rules = free_except(taker_fee_bps=10, slippage_bps=4, coins={"DEMOB": CoinCosts(taker_fee_bps=25)})
    found = trades_of_coins(coins, [orders(0), orders(0)], rules)
    assert found.fees.tolist() == pytest.approx([2.0, 5.0], rel=1e-3)
    assert found.slippage.tolist() == pytest.approx([0.8, 0.8])
    assert found.cost.tolist() == pytest.approx([2.8, 5.8], rel=1e-3)


def test_trading_is_free_without_costs() -> None:
    assert trades(market([flat()] * 8), orders(0, side=-1), FREE).cost.tolist() == [0.0]
