"""Statistics computed by hand for a few trades, and a golden file for a market that is the same on every machine."""

import json
from dataclasses import asdict
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.period import BacktestPeriod, period_of
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.statistics import Statistics, backtest_direction_accuracy, by_coin, by_month, statistics
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.day import DAY_MS
from tests.support.backtest_markets import MINUTE_MS, START_MS, flat, market, noisy_predictions, random_walk

GOLDEN = Path(__file__).with_name("golden_statistics.json")
CAPITAL = 10_000.0
FOUR_DAYS = BacktestPeriod(START_MS, START_MS + 4 * DAY_MS)


def evaluate(trades: Trades) -> Statistics:
    return statistics(trades, mark_to_market(trades, [], FOUR_DAYS), FOUR_DAYS, CAPITAL)


def trade(day: float, net: float, *, coin: int = 0, minutes: int = 30, cost: float = 2.0, stake: float = 1_000.0) -> Trade:
    entry_ms = START_MS + round(day * DAY_MS)
    exit_ms = entry_ms + minutes * MINUTE_MS
    return Trade(coin, 0, entry_ms, exit_ms, 1, HORIZON, 100.0, 101.0, stake, net + cost, cost / 4, cost * 3 / 4)


def some_trades() -> Trades:
    """Returns of +1 %, -3 %, 0 % and +1 % on four days."""
    rows = [trade(0.1, 150.0), trade(0.2, -50.0), trade(1.5, -300.0, coin=1), trade(3.0, 100.0, coin=1, minutes=60)]
    return Trades.from_rows(("DEMOA", "DEMOB"), rows)


def test_statistics_equal_those_computed_by_hand() -> None:
    found = evaluate(some_trades())
    daily = [0.01, -0.03, 0.0, 0.01]
    mean = sum(daily) / 4
    deviation = sqrt(sum((each - mean) ** 2 for each in daily) / 3)
    end = 1.01 * 0.97 * 1.01
    assert found.days == 4
    assert found.trades == 4
    assert found.return_pct == pytest.approx(100 * (end - 1))
    assert found.return_before_cost_pct == pytest.approx(100 * (1.0104 * 0.9702 * 1.0102 - 1))
    assert found.cagr_pct == pytest.approx(100 * (end ** (365.25 / 4) - 1))
    assert found.volatility_pct == pytest.approx(100 * deviation * sqrt(365.25))
    assert found.sharpe_ratio == pytest.approx(mean / deviation * sqrt(365.25))
    assert found.sortino_ratio == pytest.approx(mean / sqrt(0.03**2 / 4) * sqrt(365.25))
    assert found.max_drawdown_pct == pytest.approx(3.0)
    assert found.max_drawdown_duration_days == 3  # from the first midnight on, without recovery
    assert found.calmar_ratio == pytest.approx(found.cagr_pct / 3.0)
    assert found.exposure_pct == pytest.approx(100 * 150 / (4 * 1440))
    assert found.turnover_per_day == pytest.approx(4 * 1_000 * 2.01 / CAPITAL / 4)
    assert found.win_rate_pct == 50
    assert found.profit_factor == pytest.approx(250 / 350)
    assert found.average_trade_after_cost_bps == pytest.approx(-250)
    assert found.average_trade_before_cost_bps == pytest.approx(-230)
    assert found.average_cost_bps == pytest.approx(20)
    assert (found.best_trade_after_cost_bps, found.worst_trade_after_cost_bps) == (1_500, -3_000)
    assert found.average_trade_duration_minutes == pytest.approx(37.5)
    assert found.net_profit_quote == pytest.approx(-100)
    assert (found.fees_paid_quote, found.slippage_paid_quote) == (6.0, 2.0)


def test_exposure_counts_simultaneous_positions_once() -> None:
    rows = [trade(0.0, 1.0, minutes=60), trade(0.0, 1.0, coin=1, minutes=20), trade(30 / 1440, 1.0, coin=1, minutes=60)]
    found = evaluate(Trades.from_rows(("DEMOA", "DEMOB"), rows))
    assert found.exposure_pct == pytest.approx(100 * 90 / (4 * 1440))


def test_the_loss_is_limited_to_the_capital() -> None:
    found = evaluate(Trades.from_rows(("DEMOA",), [trade(0.0, -25_000.0), trade(2.0, 500.0)]))
    assert (found.return_pct, found.cagr_pct, found.max_drawdown_pct) == (-100, -100, 100)


def test_ratios_are_nan_without_trades() -> None:
    found = evaluate(Trades.from_rows(("DEMOA",), []))
    assert (found.trades, found.return_pct, found.exposure_pct, found.max_drawdown_pct) == (0, 0, 0, 0)
    assert all(isnan(value) for value in (found.win_rate_pct, found.profit_factor, found.average_trade_after_cost_bps))


def test_groups_trades_by_coin_and_month() -> None:
    rows = [trade(0.1, 150.0), trade(31.5, -300.0, coin=1), trade(32.0, 100.0, coin=1)]
    trades = Trades.from_rows(("DEMOA", "DEMOB"), rows)
    coins, months = by_coin(trades, CAPITAL), by_month(trades, CAPITAL)
    assert [(part.name, part.trades, part.return_pct) for part in coins] == [("DEMOA", 1, 1.5), ("DEMOB", 2, -2.0)]
    assert [(part.name, part.trades, part.win_rate_pct) for part in months] == [("2019-05", 1, 100.0), ("2019-06", 2, 50.0)]


def test_direction_accuracy_ignores_zero_changes() -> None:
    candles = market([flat(price) for price in (100, 101, 101, 100, 102, 103)])
    ends = np.array([0.5, 0.5, -0.5, 0.0, 0.5])  # correct, no change, correct, no prediction, correct
    coin = PredictedCoin(candles, np.arange(5), np.column_stack([ends, ends, ends]), np.zeros(5, np.int64))
    traded = Trades.from_rows(("DEMOUSD",), [trade(0.0, 1.0)._replace(signal=2)])
    found = backtest_direction_accuracy([coin], traded, 1)
    assert (found.all_right_pct, found.all_counted) == (100.0, 3)
    assert (found.traded_right_pct, found.traded_counted) == (100.0, 1)


def test_statistics_equal_the_golden_file() -> None:
    """Written by `python -m tests.unit.backtesting.test_statistics`; a change there is a change of what users see."""
    found, golden = golden_statistics(), json.loads(GOLDEN.read_text())
    assert found.keys() == golden.keys()
    for name, value in golden.items():
        assert found[name] == pytest.approx(value, rel=1e-8), name


def golden_statistics() -> dict[str, float]:
    strategy = Strategy.model_validate(
        {
            "entry": {"allow_short": True},
            "exit": {"horizon_candles": 5},
            "size": {"by": "edge", "full_edge_pct": 0.5},
            "market": {"volume_share_pct": 50},
        }
    )
    symbols = ("DEMOA", "DEMOB")
    coins = [noisy_predictions(random_walk(symbol, 6_000, seed), 20, seed + 10) for seed, symbol in enumerate(symbols)]
    fills = []
    for coin in coins:
        proposals = propose(strategy, coin, strategy.size.full_stake(2), None)
        chosen = proposals.rows(proposals.reach_thresholds(0.2, 1.5))
        fills.append(fill_orders(coin.candles, chosen.orders, strategy.market))
    trades = simulate_trades(symbols, fills)
    period = period_of(coins, 5)
    marked = mark_to_market(trades, [coin.candles for coin in coins], period)
    return asdict(statistics(trades, marked, period, strategy.size.capital)) | asdict(backtest_direction_accuracy(coins, trades, 5))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden_statistics(), indent=1) + "\n")
