"""Entries larger than their candle's volume allows, and limit orders, on candles typed by hand."""

import numpy as np
import pytest

from coinfarm.backtesting.execution.trades import HORIZON, STOP, TAKE_PROFIT
from tests.support.backtest_markets import FREE, MINUTE_MS, START_MS, flat, free_except, market, orders
from tests.support.simulated_trades import only, trades

USUAL = [flat()] * 3
"""Candles of large volume, so that no stake is limited."""


@pytest.mark.parametrize(("side", "second"), [(1, 103.0), (-1, 98.0)], ids=["long", "short"])
def test_the_rest_of_an_entry_is_filled_in_the_next_traded_candles_at_their_worst_price(side: int, second: float) -> None:
    candles = market([*USUAL, (100, 101, 99, 100, 6.0), flat(), (101, 103, 98, 102, 9.0), *[flat(102)] * 6], missing=[4])
    trade = only(candles, orders(2, side=side, hold=5))
    assert trade.stake == 1_000
    assert trade.entry_ms == START_MS + 3 * MINUTE_MS
    assert trade.entry_price == pytest.approx(1_000 / (6 + 400 / second))


def test_the_rest_of_an_entry_is_never_filled_at_a_better_price() -> None:
    candles = market([*USUAL, (100, 101, 99, 100, 5.0), (90, 91, 80, 90), *[flat(90)] * 5])
    trade = only(candles, orders(2, stop_pct=5.0))
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100, 90, STOP)


def test_what_no_candle_allows_is_filled_at_the_worst_of_their_prices() -> None:
    candles = market([*USUAL, *((100, 100 + at, 99, 100, 1.0) for at in range(5)), *[flat()] * 6])
    bought = 1 + 1 + 1 + 1 + 1
    spent = 100 + 101 + 102 + 103 + 104
    assert only(candles, orders(2, hold=6)).entry_price == pytest.approx(1_000 / (bought + (1_000 - spent) / 104))


@pytest.mark.parametrize(
    ("second", "hold", "price"),
    [((100, 103, 98, 100, 4.0), 4, 103), ((100, 103, 100, 100, 4.0), 1, 100), ((100, 103, 100, 100, 4.0), 2, 103)],
    ids=["stopped", "at the open of the horizon", "before the horizon"],
)
def test_nothing_is_bought_after_the_exit(second: tuple[float, ...], hold: int, price: float) -> None:
    candles = market([*USUAL, (100, 101, 99.5, 100, 5.0), second, (100, 150, 100, 100), *[flat()] * 6])
    assert only(candles, orders(2, stop_pct=1.0, hold=hold)).entry_price == pytest.approx(1_000 / (5 + 500 / price))


def test_losses_where_trading_dries_up_keep_their_weight() -> None:
    """Trades lose 10 % after entries in candles with little volume, and win 4 % after others: on average they lose."""
    rows, signals = [], []
    for round_trip in range(40):
        loses = round_trip % 2 == 0
        signals.append(len(rows) + 1)
        rows += [*[flat()] * 2, (100, 100, 100, 100, 0.01 if loses else 1e6), *[flat()] * 2, *[flat(90 if loses else 104)] * 2]
    found = trades(market(rows), orders(*signals), free_except(volume_share_pct=10))
    assert len(found) == 40
    assert np.unique(found.stake).tolist() == [1_000]
    assert found.gross.sum() / found.stake.sum() == pytest.approx(-0.03)


@pytest.mark.parametrize(("side", "low", "high", "filled"), [(1, 98.9, 100, True), (1, 99, 100, False), (-1, 100, 101.1, True)])
def test_a_limit_order_is_filled_only_if_the_price_goes_beyond_it(side: int, low: float, high: float, filled: bool) -> None:
    candles = market([flat(), flat(), (100, high, low, 100), *[flat()] * 6])
    found = trades(candles, orders(0, side=side, limit_price=100 - side, valid_candles=3))
    assert found.entry_price.tolist() == ([100 - side] if filled else [])
    assert found.entry_ms.tolist() == ([START_MS + 2 * MINUTE_MS] if filled else [])


@pytest.mark.parametrize(("valid_candles", "filled"), [(1, 0), (2, 1)])
def test_a_limit_order_is_cancelled_after_some_candles(valid_candles: int, filled: int) -> None:
    candles = market([flat(), flat(), (100, 100, 98, 100), *[flat()] * 6])
    assert len(trades(candles, orders(0, limit_price=99, valid_candles=valid_candles))) == filled


def test_a_gap_beyond_a_limit_is_filled_at_the_limit() -> None:
    assert only(market([flat(), *[flat(90)] * 8]), orders(0, limit_price=99)).entry_price == 99


def test_the_horizon_of_a_limit_order_counts_from_the_fill() -> None:
    candles = market([flat(), flat(), (100, 100, 98, 100), flat(), flat(), flat(103), *[flat()] * 3])
    trade = only(candles, orders(0, hold=3, limit_price=99, valid_candles=2))
    assert (trade.exit_price, trade.reason, trade.exit_ms) == (103, HORIZON, START_MS + 5 * MINUTE_MS)


def test_a_stop_but_no_take_profit_is_filled_in_the_candle_of_a_limit_fill() -> None:
    candles = market([flat(), (100, 110, 95, 100), (100, 102, 100, 100), *[flat()] * 6])
    assert only(candles, orders(0, limit_price=99, stop_pct=2.0)).reason == STOP
    trade = only(candles, orders(0, limit_price=99, take_pct=2.0))
    assert (trade.reason, trade.exit_ms) == (TAKE_PROFIT, START_MS + 3 * MINUTE_MS)


def test_a_limit_order_pays_the_maker_fee_and_no_slippage_but_its_rest_is_bought_at_market() -> None:
    rules = free_except(maker_fee_bps=10, taker_fee_bps=20, slippage_bps=100)
    complete, partial = (
        only(market([*USUAL, (100, 100, 98, 100, volume), *[flat(99)] * 6]), orders(2, limit_price=99), rules) for volume in (1e6, 5.0)
    )
    assert (complete.entry_price, partial.entry_price) == (99, 99)
    assert complete.slippage == pytest.approx(10)
    assert complete.fees == pytest.approx(1 + 990 * 20 / 1e4)
    assert partial.slippage == pytest.approx(10 + (1_000 - 495) / 100)
    assert partial.fees == pytest.approx(0.495 + 505 * 1.01 * 20 / 1e4 + 990 * 20 / 1e4)


def test_a_limit_order_takes_up_its_place_until_it_is_filled_or_cancelled() -> None:
    candles = market([*[flat()] * 3, (100, 100, 98, 100), *[flat()] * 9])
    found = trades(candles, orders(*range(8), hold=2, limit_price=99, valid_candles=2), FREE)
    assert found.signal.tolist() == [2]
