"""The rules of the market, each shown on a few candles typed by hand, and the fast simulation against the slow one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import HORIZON, STOP, TAKE_PROFIT, Trade
from coinfarm.candles.candles import Candles
from image_render.windows import Columns
from tests.support.backtest_markets import MINUTE_MS, START_MS, flat, market, market_rules, markets, orders, orders_for
from tests.support.simulated_trades import assert_same_trades, only, trades, trades_of_coins


def test_a_signal_is_filled_at_the_next_open() -> None:
    candles = market([(100, 101, 99, 100), (102, 103, 101, 102), *[flat()] * 5])
    found = trades(candles, orders(0))
    assert found[0].entry_price == 102
    assert found[0].entry_ms == START_MS + MINUTE_MS


def test_a_position_is_closed_at_the_open_after_the_horizon() -> None:
    candles = market([flat(), flat(), flat(), flat(), (110, 111, 109, 110), flat()])
    trade = only(candles, orders(0, hold=3))
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100, 110, HORIZON)


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
    trade = only(candles, orders(0, side=side, stop_pct=1.0, take_pct=2.0))
    assert (trade.entry_price, trade.reason) == (100, reason)
    assert trade.exit_price == pytest.approx(left)


def test_a_stop_is_filled_in_the_candle_of_the_entry() -> None:
    trade = only(market([flat(), (100, 100, 90, 100), *[flat()] * 5]), orders(0, stop_pct=1.0))
    assert (trade.exit_price, trade.exit_ms, trade.reason) == (99, START_MS + 2 * MINUTE_MS, STOP)


def test_no_stop_is_filled_after_the_horizon() -> None:
    candles = market([flat(), flat(), flat(), flat(), (100, 100, 50, 60), flat()])
    assert only(candles, orders(0, hold=3, stop_pct=1.0)).reason == HORIZON


NO_TRADES = (*flat(), 0.0)
"""A candle without trades as some exchanges write it; others leave it out."""


@pytest.mark.parametrize("missing", [[], [1]], ids=["without volume", "missing"])
def test_an_order_lapses_in_a_candle_without_trades(missing: list[int]) -> None:
    assert len(trades(market([flat(), NO_TRADES, *[flat()] * 6], missing=missing), orders(0))) == 0


@pytest.mark.parametrize("missing", [[], [4, 5]], ids=["without volume", "missing"])
@pytest.mark.parametrize("stop_pct", [np.inf, 5.0])
def test_an_exit_waits_for_a_candle_with_trades(missing: list[int], stop_pct: float) -> None:
    candles = market([*[flat()] * 4, (100, 100, 80, 100, 0.0), NO_TRADES, (90, 91, 89, 90), flat()], missing=missing)
    found = trades(candles, orders(0, hold=3, stop_pct=stop_pct))
    assert (found[0].exit_price, found[0].reason) == (90, HORIZON)
    assert found[0].exit_ms == START_MS + 6 * MINUTE_MS


@pytest.mark.parametrize("missing", [[], [2]], ids=["without volume", "missing"])
def test_nothing_is_filled_in_a_candle_without_trades(missing: list[int]) -> None:
    candles = market([flat(), flat(), (100, 110, 90, 100, 0.0), *[flat()] * 5], missing=missing)
    assert only(candles, orders(0, stop_pct=1.0, take_pct=1.0)).reason == HORIZON
    assert len(trades(candles, orders(0, limit_price=99, valid_candles=2))) == 0


def test_an_order_whose_horizon_is_beyond_the_candles_is_left_out_even_if_it_would_be_stopped() -> None:
    candles = market([flat(), (100, 100, 90, 100), flat(), flat()])
    assert len(trades(candles, orders(0, hold=3, stop_pct=1.0))) == 0


def test_a_coin_has_one_position_at_a_time() -> None:
    found = trades(market([flat()] * 12), orders(*range(8), hold=3))
    assert found.signal.tolist() == [0, 4]


@settings(max_examples=150)
@given(st.data())
def test_the_fast_simulation_makes_the_same_trades_as_the_slow_one(data: st.DataObject) -> None:
    symbols = [f"DEMO{name}" for name in "AB"[: data.draw(st.integers(1, 2))]]
    coins = [data.draw(markets(symbol)) for symbol in symbols]
    exposure = st.sampled_from([None, 100.0, 1_500.0])
    limits = PositionLimits(
        data.draw(st.integers(1, 2)), data.draw(st.sampled_from([None, 1, 2, 3])), data.draw(exposure), data.draw(exposure)
    )
    trades_of_coins(coins, [data.draw(orders_for(candles)) for candles in coins], data.draw(market_rules()), limits)


@settings(max_examples=60)
@given(st.data())
def test_later_candles_do_not_change_trades_that_have_ended(data: st.DataObject) -> None:
    candles, rules = data.draw(markets("DEMOA")), data.draw(market_rules())
    candles.columns.volume[-1] = 1.0
    wanted, limits = data.draw(orders_for(candles)), PositionLimits(data.draw(st.integers(1, 2)))
    now = data.draw(st.integers(1, len(candles) - 1))
    before, after = (
        simulate_trades(("DEMOA",), [fill_orders(each, wanted, rules)], limits) for each in (candles, changed_from(candles, now))
    )
    now_ms = candles.open_time[now]
    assert_same_trades(after.rows(after.exit_ms < now_ms), before.rows(before.exit_ms < now_ms))


def changed_from(candles: Candles, now: int) -> Candles:
    """Other prices and volumes from a candle on, in which trading ends with the last candle, too."""
    later = np.arange(len(candles)) >= now
    prices = [np.where(later, column[::-1] * 1.5, column) for column in candles.columns[:4]]
    volume = np.where(later, np.where(candles.columns.volume > 1.0, 0.25, 1_000.0), candles.columns.volume)
    return Candles(candles.symbol, candles.interval, candles.open_time, Columns(*prices, volume), candles.filled & ~later)


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
        **dict.fromkeys(("entry_price", "exit_price", "stake", "gross", "slippage", "fees", "borrow"), np.float64),
    }
