"""Buy and hold, computed by hand."""

import pytest

from coinfarm.backtesting.baselines.buy_and_hold import buy_and_hold
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.period import BacktestPeriod
from tests.support.backtest_markets import FREE, MINUTE_MS, START_MS, flat, market

PERIOD = BacktestPeriod(START_MS + MINUTE_MS, START_MS + 5 * MINUTE_MS)
RISING = [flat(90), flat(100), (100, 100, 100, 100), (101, 130, 101, 130), (130, 160, 130, 150), flat(999)]
FALLING = [flat(), flat(), flat(), flat(), (100, 100, 80, 80), flat(1)]


def test_buys_equal_parts_at_the_first_tested_candle_and_sells_at_the_end() -> None:
    candles = [market(RISING, symbol="A"), market(FALLING, symbol="B")]
    trades = buy_and_hold(("A", "B"), candles, FREE, PERIOD, 1_000.0)
    assert trades.stake.tolist() == [500, 500]
    assert trades.entry_ms.tolist() == [START_MS + 2 * MINUTE_MS] * 2
    assert trades.exit_ms.tolist() == [PERIOD.stop_ms] * 2
    assert trades.net.tolist() == pytest.approx([250.0, -100.0])


def test_pays_its_costs_once() -> None:
    costs = Market(taker_fee_bps=10, slippage_bps=5)
    trades = buy_and_hold(("A",), [market(RISING, symbol="A")], costs, PERIOD, 1_000.0)
    assert trades.slippage[0] == pytest.approx((1_000 + 1_500) * 5e-4)
    assert trades.fees[0] == pytest.approx((1_000 * 1.0005 + 1_500 * 0.9995) * 1e-3)


def test_leaves_out_a_coin_without_trades_in_the_period() -> None:
    silent = market([flat(), *[(*flat(), 0.0)] * 5], symbol="B")
    trades = buy_and_hold(("A", "B"), [market(RISING, symbol="A"), silent], FREE, PERIOD, 1_000.0)
    assert (trades.coin.tolist(), trades.stake.tolist()) == ([0], [500])
