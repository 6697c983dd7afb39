"""Fees and accuracy that would pay, checked by trading again at those fees."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.interval_map.requirements import moves_bps, paying_fees, required_accuracy, traded_moves_bps
from tests.support.backtest_markets import free_except, market, orders
from tests.support.interval_backtests import interval_backtest

ROWS = [(100.0, 103.0, 99.0, 101.0), (101.0, 104.0, 98.0, 102.0)] * 10


def trades_at(fees: Market) -> Trades:
    """One long position that ends at its take-profit, and two at their horizon."""
    candles = market(ROWS)
    wanted = orders(1, 6, 12)
    wanted = replace(wanted, take_pct=np.array([1.0, np.inf, np.inf]))
    return simulate_trades((candles.symbol,), [fill_orders(candles, wanted, fees)])


def cost_bps(trades: Trades) -> float:
    return 1e4 * float(trades.cost.sum()) / float(trades.stake.sum())


@pytest.mark.parametrize("affordable_bps", [60.0, 23.0, 5.0])
def test_at_the_fees_that_pay_a_round_trip_costs_what_is_affordable(affordable_bps: float) -> None:
    today = free_except(maker_fee_bps=5, taker_fee_bps=20, slippage_bps=2)
    fees = paying_fees(trades_at(today), today, affordable_bps)
    assert fees.taker_bps == pytest.approx(4 * fees.maker_bps)
    again = trades_at(free_except(maker_fee_bps=fees.maker_bps, taker_fee_bps=fees.taker_bps, slippage_bps=2))
    assert cost_bps(again) == pytest.approx(affordable_bps)
    assert 1e4 * float(again.fees.sum() / again.stake.sum()) == pytest.approx(fees.round_trip_bps)


def test_no_fee_pays_for_slippage_that_is_not_affordable() -> None:
    today = free_except(maker_fee_bps=5, taker_fee_bps=20, slippage_bps=2)
    fees = paying_fees(trades_at(today), today, -3.0)
    assert fees.round_trip_bps < -3.0
    assert fees.taker_bps < 0


def test_without_trades_or_fees_nothing_is_known() -> None:
    today = free_except(slippage_bps=2)
    assert isnan(paying_fees(trades_at(today), today, 30.0).taker_bps)
    assert isnan(paying_fees(trades_at(today).rows(slice(0)), today, 30.0).round_trip_bps)


def test_the_required_accuracy_earns_the_cost() -> None:
    result = interval_backtest("1h", 60, known_share=0.2)
    found = required_accuracy(result)
    right = found.required_pct / 100.0
    assert (2 * right - 1) * found.mean_move_bps == pytest.approx(result.break_even.cost_bps)
    assert (found.actual_pct, found.counted) == (result.direction.traded_right_pct, len(result.trades))


def test_moves_are_those_of_the_close_over_the_horizon() -> None:
    result = interval_backtest("1h", 60)
    (coin,) = result.coins
    close = coin.candles.columns.close
    expected = 1e4 * np.abs(close[coin.signal + 30] / close[coin.signal] - 1.0)
    np.testing.assert_allclose(moves_bps(coin, 30), expected)
    traded = np.isin(coin.signal, result.trades.signal)
    assert 0 < traded.sum() < len(coin)
    np.testing.assert_allclose(traded_moves_bps(result.coins, result.trades, 30), expected[traded])


def test_without_trades_no_accuracy_is_required() -> None:
    found = required_accuracy(interval_backtest("1h", 60, min_end_change_pct=99.0))
    assert isnan(found.required_pct)
    assert found.counted == 0
