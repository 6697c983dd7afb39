"""The break-even cost, how far it strays, and what is said of it."""

import numpy as np
import pytest

from coinfarm.backtest.break_even import BreakEven, break_even
from coinfarm.backtest.fills import fill_orders
from coinfarm.backtest.orders import Orders
from coinfarm.backtest.period import BacktestPeriod
from coinfarm.backtest.simulation import simulate_trades
from coinfarm.backtest.strategy import Market
from coinfarm.backtest.trades import HORIZON, Trade, Trades
from coinfarm.backtest.verdict import Conclusion, decide_verdict
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from tests.support.backtest_markets import START_MS, orders, wandering

HOUR_MS = 3_600_000
PERIOD = BacktestPeriod(START_MS, START_MS + 40 * DAY_MS, 30 * 60_000)


def hourly(gross: list[float], stakes: list[float], cost: float = 2.0) -> Trades:
    """A trade at the beginning of each hour, an hour long."""
    rows = [
        Trade(0, at, START_MS + at * HOUR_MS, START_MS + (at + 1) * HOUR_MS, 1, HORIZON, 100.0, 100.0, stake, profit, 0.0, cost)
        for at, (profit, stake) in enumerate(zip(gross, stakes, strict=True))
    ]
    return Trades.from_rows(("DEMOUSD",), rows)


def test_it_is_the_mean_trade_before_costs_weighed_by_its_stake() -> None:
    found = break_even(hourly([3.0, -1.0], [1_000.0, 3_000.0]), PERIOD, 10)
    assert found.bps == pytest.approx(5.0)
    assert found.cost_bps == pytest.approx(10.0)
    assert (found.trades, found.independent_trades) == (2, 2.0)


def test_profit_is_zero_at_that_cost() -> None:
    candles = wandering("DEMOUSD", 400, 5)
    close = candles.columns.close
    rising = np.flatnonzero(close[55:380] > close[50:375]) + 50
    free = Market(maker_fee_bps=0, taker_fee_bps=0, slippage_bps=0)
    before = _trades(candles, orders(*rising, hold=5), free)
    half_bps = break_even(before, PERIOD, 10).bps / 2
    assert half_bps > 5
    after = _trades(candles, orders(*rising, hold=5), Market(maker_fee_bps=0, taker_fee_bps=half_bps, slippage_bps=0))
    # The fee on the way out is of what the position is worth then: a few permille more than the stake.
    assert after.net.sum() == pytest.approx(0.0, abs=0.01 * after.gross.sum())


def _trades(candles: Candles, asked: Orders, rules: Market) -> Trades:
    return simulate_trades(("DEMOUSD",), [fill_orders(candles, asked, rules)], rules)


def test_the_interval_holds_the_truth_about_nine_times_in_ten() -> None:
    """Trades whose luck lasts for hours: resampled one by one they would seem surer than they are."""
    held = 0
    for seed in range(60):
        luck = np.random.default_rng(seed).normal(0.0, 10.0, 40 * 4).repeat(6)
        trades = hourly((1.0 + luck).tolist(), [1_000.0] * len(luck))
        found = break_even(trades, PERIOD, 200, seed)
        held += found.low_bps <= 10.0 <= found.high_bps
    assert 46 <= held <= 60


def test_without_trades_nothing_can_be_told() -> None:
    found = break_even(hourly([], []), PERIOD, 10)
    assert found.trades == 0
    assert np.isnan([found.bps, found.low_bps, found.high_bps, found.cost_bps]).all()
    verdict = decide_verdict(found, PERIOD, float("nan"), 1)
    assert verdict.conclusion is Conclusion.INCONCLUSIVE
    assert verdict.headline == "Cannot be told from this much data: the strategy makes no trade."


def found(low: float, bps: float, high: float, cost: float = 22.0, independent: float = 100.0) -> BreakEven:
    return BreakEven(bps, low, high, cost, 120, independent)


@pytest.mark.parametrize(
    ("number", "probability", "variants", "answer", "reason"),
    [
        (found(25.0, 30.0, 35.0), 0.97, 40, Conclusion.MAKES_MONEY, "above the cost, and with 40 variants tried"),
        (found(25.0, 30.0, 35.0), 0.60, 40, Conclusion.INCONCLUSIVE, "that may be luck"),
        (found(25.0, 30.0, 35.0), float("nan"), 1, Conclusion.INCONCLUSIVE, "with 1 variant tried"),
        (found(5.0, 10.0, 15.0), 0.10, 40, Conclusion.LOSES_MONEY, "less than 10.0 bps"),
        (found(-9.0, -4.0, 1.0), 0.00, 40, Conclusion.LOSES_MONEY, "lose even if trading were free"),
        (found(15.0, 30.0, 45.0), 0.99, 1, Conclusion.INCONCLUSIVE, "within the interval"),
        (found(25.0, 30.0, 35.0, independent=29.0), 0.99, 1, Conclusion.INCONCLUSIVE, "Fewer than 30 independent trades"),
    ],
    ids=["above", "above, of many tried", "above, unknown", "below", "below zero", "astride", "few trades"],
)
def test_the_whole_interval_must_lie_on_one_side(
    number: BreakEven, probability: float, variants: int, answer: Conclusion, reason: str
) -> None:
    verdict = decide_verdict(number, PERIOD, probability, variants)
    assert verdict.conclusion is answer
    assert reason in verdict.reasons[0]


def test_few_days_tell_nothing() -> None:
    verdict = decide_verdict(found(25.0, 30.0, 35.0), BacktestPeriod(START_MS, START_MS + 9 * DAY_MS, HOUR_MS), 0.99, 1)
    assert verdict.conclusion is Conclusion.INCONCLUSIVE
    assert "9.0 days" in verdict.reasons[0]


def test_the_headline_has_the_number_its_interval_the_cost_and_the_trades() -> None:
    assert decide_verdict(found(5.04, 10.0, 15.0), PERIOD, 0.1, 1).headline == (
        "Does not make money: it breaks even at a round-trip cost of 10.0 bps (90 % interval 5.0 to 15.0), and a round trip costs "
        "22.0 bps; 120 trades, 100 of them independent."
    )
