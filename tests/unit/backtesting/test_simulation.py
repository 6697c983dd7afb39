"""The rules of the market, each shown on a few candles typed by hand, and the fast simulation against the slow one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.backtesting.fills import fill_orders
from coinfarm.backtesting.orders import Orders
from coinfarm.backtesting.reference_simulation import simulate_by_candle
from coinfarm.backtesting.simulation import simulate_trades
from coinfarm.backtesting.strategy import Market
from coinfarm.backtesting.trades import HORIZON, STOP, TAKE_PROFIT, Trade, Trades
from coinfarm.candles.candles import Candles
from tests.support.backtest_markets import FREE, MINUTE_MS, START_MS, flat, market, markets, orders, orders_for


def assert_same(found: Trades, expected: Trades) -> None:
    """Equal, but for rounding."""
    for name in Trade._fields:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-7, err_msg=name)


def trades(candles: Candles, wanted: Orders, rules: Market = FREE) -> Trades:
    found = simulate_trades((candles.symbol,), [fill_orders(candles, wanted, rules)], rules)
    assert_same(found, simulate_by_candle((candles.symbol,), [candles], [wanted], rules))
    return found


def only(candles: Candles, wanted: Orders, rules: Market = FREE) -> tuple[float, float, int]:
    """Entry price, exit price and reason of the only trade."""
    found = trades(candles, wanted, rules)
    assert len(found) == 1
    return found[0].entry_price, found[0].exit_price, found[0].reason


def test_a_signal_is_filled_at_the_next_open() -> None:
    candles = market([(100, 101, 99, 100), (102, 103, 101, 102), *[flat()] * 5])
    found = trades(candles, orders(0))
    assert found[0].entry_price == 102
    assert found[0].entry_ms == START_MS + MINUTE_MS


def test_a_position_is_closed_at_the_open_after_the_horizon() -> None:
    candles = market([flat(), flat(), flat(), flat(), (110, 111, 109, 110), flat()])
    assert only(candles, orders(0, hold=3)) == (100, 110, HORIZON)


@pytest.mark.parametrize(("side", "entered", "left"), [(1, 100.1, 109.89), (-1, 99.9, 110.11)], ids=["long", "short"])
def test_slippage_is_paid_on_entry_and_exit(side: int, entered: float, left: float) -> None:
    candles = market([flat(), flat(), flat(), flat(), (110, 111, 109, 110), flat()])
    slipping = Market(maker_fee_bps=0, taker_fee_bps=0, slippage_bps=10, volume_share_pct=100)
    found = trades(candles, orders(0, side=side), slipping)
    assert found.net[0] == pytest.approx(side * (left - entered) * 10)
    assert found.gross[0] == pytest.approx(side * 100.0)


@pytest.mark.parametrize(
    ("side", "candle", "left", "reason"),
    [
        (1, (100, 100.5, 98.9, 100), 99, STOP),
        (1, (100, 100.5, 99.0, 100), 99, STOP),
        (1, (100, 102.1, 99.5, 101), 102, TAKE_PROFIT),
        (1, (100, 102.0, 99.5, 101), 100, HORIZON),
        (1, (100, 102.1, 98.9, 101), 99, STOP),
        (1, (97, 98.0, 96.0, 98), 97, STOP),
        (1, (104, 105.0, 103.0, 104), 102, TAKE_PROFIT),
        (-1, (100, 101.0, 99.0, 100), 101, STOP),
        (-1, (100, 100.5, 97.9, 98), 98, TAKE_PROFIT),
        (-1, (100, 101.1, 97.9, 98), 101, STOP),
        (-1, (103, 104.0, 102.0, 103), 103, STOP),
        (-1, (96, 97.0, 95.0, 96), 98, TAKE_PROFIT),
    ],
    ids=[
        "the price goes through the stop",
        "the stop is touched",
        "the price goes through the take-profit",
        "the take-profit is only touched: other orders are first in the queue",
        "both are reached: the stop came first",
        "a gap through the stop is filled at the open",
        "a gap through the take-profit is filled at the take-profit",
        "short, stop",
        "short, take-profit",
        "short, both: the stop came first",
        "short, gap through the stop",
        "short, gap through the take-profit",
    ],
)
def test_exit_orders_are_filled_at_their_worst_price(side: int, candle: tuple[float, ...], left: float, reason: int) -> None:
    candles = market([flat(), flat(), candle, flat(), flat(), flat()])
    entry, exit_price, why = only(candles, orders(0, side=side, stop_pct=1.0, take_pct=2.0))
    assert (entry, why) == (100, reason)
    assert exit_price == pytest.approx(left)


def test_a_stop_is_filled_in_the_candle_of_the_entry() -> None:
    assert only(market([flat(), (100, 100, 90, 100), *[flat()] * 5]), orders(0, stop_pct=1.0)) == (100, 99, STOP)


def test_no_stop_is_filled_after_the_horizon() -> None:
    candles = market([flat(), flat(), flat(), flat(), (100, 100, 50, 60), flat()])
    assert only(candles, orders(0, hold=3, stop_pct=1.0)) == (100, 100, HORIZON)


def test_an_order_lapses_in_a_filled_candle() -> None:
    assert len(trades(market([flat()] * 8, missing=[1]), orders(0))) == 0


def test_an_exit_waits_for_a_candle_with_trades() -> None:
    candles = market([*[flat()] * 4, flat(), flat(), (90, 91, 89, 90), flat()], missing=[4, 5])
    found = trades(candles, orders(0, hold=3))
    assert (found[0].exit_price, found[0].reason) == (90, HORIZON)
    assert found[0].exit_ms == START_MS + 6 * MINUTE_MS


def test_an_order_whose_horizon_is_beyond_the_candles_is_left_out_even_if_it_would_be_stopped() -> None:
    candles = market([flat(), (100, 100, 90, 100), flat(), flat()])
    assert len(trades(candles, orders(0, hold=3, stop_pct=1.0))) == 0


@pytest.mark.parametrize(
    ("volume", "min_order", "stake"),
    [
        pytest.param(1_000.0, 10, 1_000.0, id="enough"),
        pytest.param(50.0, 10, 500.0, id="less than is wanted"),
        pytest.param(1.0, 10, 10.0, id="just an order"),
        pytest.param(0.5, 10, None, id="less than an order"),
        pytest.param(0.0625, 0, 0.625, id="any order"),
        pytest.param(0.0, 0, None, id="no volume"),
    ],
)
def test_a_stake_is_limited_to_a_share_of_the_candles_volume(volume: float, min_order: float, stake: float | None) -> None:
    rules = Market(volume_share_pct=10, min_order=min_order)
    found = trades(market([flat(), (100, 100, 100, 100, volume), *[flat()] * 5]), orders(0), rules)
    assert found.stake.tolist() == ([] if stake is None else [stake])


@pytest.mark.parametrize(
    ("candle", "fee_bps"),
    [((100, 100, 100, 100), 20.0), ((100, 103, 100, 100), 10.0 + 5.0 * 1.02), ((100, 100, 98, 98), 10.0 + 10.0 * 0.99)],
    ids=["horizon: taker twice", "take-profit: maker on the way out", "stop: taker twice"],
)
def test_fees_are_paid_on_entry_and_exit(candle: tuple[float, ...], fee_bps: float) -> None:
    rules = Market(maker_fee_bps=5, taker_fee_bps=10, slippage_bps=0, volume_share_pct=100)
    found = trades(market([flat(), flat(), candle, *[flat()] * 4]), orders(0, stop_pct=1.0, take_pct=2.0), rules)
    assert found.fees[0] == pytest.approx(1_000 * fee_bps / 10_000)


def test_a_coin_has_one_position_at_a_time() -> None:
    found = trades(market([flat()] * 12), orders(*range(8), hold=3))
    assert found.signal.tolist() == [0, 4]


def test_the_earliest_order_is_made_where_positions_are_limited() -> None:
    coins = [market([flat()] * 12, symbol=f"DEMO{name}") for name in "AB"]
    wanted = [orders(1, 5, hold=3), orders(0, 1, 2, 5, hold=3)]
    found = simulate_trades(
        ("DEMOA", "DEMOB"), [fill_orders(c, o, FREE) for c, o in zip(coins, wanted, strict=True)], FREE, max_positions=1
    )
    assert list(zip(found.coin.tolist(), found.signal.tolist(), strict=True)) == [(1, 0), (0, 5)]


def test_a_coin_may_have_several_positions() -> None:
    candles = market([flat()] * 12)
    found = simulate_trades(("DEMOUSD",), [fill_orders(candles, orders(*range(8), hold=3), FREE)], FREE, positions_per_coin=2)
    assert found.signal.tolist() == [0, 1, 4, 5]


@settings(max_examples=60)
@given(st.data())
def test_the_fast_simulation_makes_the_same_trades_as_the_slow_one(data: st.DataObject) -> None:
    symbols = tuple(f"DEMO{name}" for name in "AB"[: data.draw(st.integers(1, 2))])
    coins = [data.draw(markets(symbol)) for symbol in symbols]
    wanted = [data.draw(orders_for(candles)) for candles in coins]
    rules = data.draw(st.sampled_from([FREE, Market(maker_fee_bps=5, volume_share_pct=50)]))
    per_coin = data.draw(st.integers(1, 2))
    at_most = data.draw(st.sampled_from([None, 1, 2, 3]))
    found = simulate_trades(symbols, [fill_orders(c, o, rules) for c, o in zip(coins, wanted, strict=True)], rules, per_coin, at_most)
    assert_same(found, simulate_by_candle(symbols, coins, wanted, rules, per_coin, at_most))


def test_no_orders_make_no_trades() -> None:
    nothing = orders()
    found = trades(market([flat()] * 5), nothing)
    assert len(found) == 0
    assert found.net.dtype == np.float64


def test_trades_have_the_types_of_their_columns() -> None:
    found = trades(market([flat()] * 6), orders(0))
    assert found.symbols == ("DEMOUSD",)
    assert {name: getattr(found, name).dtype for name in Trade._fields} == {
        **dict.fromkeys(("coin", "signal", "entry_ms", "exit_ms"), np.int64),
        **dict.fromkeys(("side", "reason"), np.int8),
        **dict.fromkeys(("entry_price", "exit_price", "stake", "gross", "slippage", "fees"), np.float64),
    }
