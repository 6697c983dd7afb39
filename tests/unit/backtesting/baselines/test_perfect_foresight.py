"""Perfect foresight is a ceiling: compared with all sequences of trades on tiny markets, and with strategies on larger ones."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.backtesting.baselines.opportunities import find_opportunities
from coinfarm.backtesting.baselines.perfect_foresight import best_trades
from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy
from tests.support.backtest_markets import flat, market, market_rules, markets, orders, orders_for, random_walk
from tests.support.baseline_markets import context_of, strategy_with

STAKE = 1_000.0
HORIZON = 8
FREE = {"maker_fee_bps": 0, "taker_fee_bps": 0, "slippage_bps": 0, "volume_share_pct": 100, "min_order": 0, "borrow_bps_per_day": 0}


def predicted(candles: Any) -> PredictedCoin:
    signal = np.arange(len(candles) - 1)
    return PredictedCoin(candles, signal, np.zeros((len(signal), 3)), np.zeros(len(signal), np.int64))


def ceiling(coin: PredictedCoin, strategy: Strategy, stake: float = STAKE) -> Trades:
    sides = (1, -1) if strategy.entry.allow_short else (1,)
    of_side = {side: find_opportunities(coin, strategy, stake, side) for side in sides}
    copies = strategy.size.positions_per_coin
    return best_trades((coin.symbol,), 0, coin, of_side, strategy.exit.horizon_candles, strategy.market, copies)


def free_strategy(**market_fields: float) -> Strategy:
    return strategy_with(entry={"allow_short": True}, market=FREE | market_fields, exit={"horizon_candles": HORIZON})


def test_sells_at_the_high_and_buys_back_at_the_low() -> None:
    coin = predicted(market([flat(), (100, 110, 100, 105), (105, 105, 90, 100), flat(100), flat(100)]))
    trades = ceiling(coin, free_strategy())
    assert (trades.side.tolist(), trades.entry_price.tolist(), trades.exit_price.tolist()) == ([1, -1], [100, 105], [110, 90])
    assert trades.net.sum() == pytest.approx(STAKE * (0.10 + 15 / 105))


def test_waits_if_a_later_trade_earns_more_than_the_cost_of_two() -> None:
    rows = [flat(), (100, 101, 100, 100), flat(), (100, 102, 100, 102), (102, 102, 101, 101)]
    one = ceiling(predicted(market(rows)), free_strategy(maker_fee_bps=30, taker_fee_bps=30))
    assert (len(one), one.exit_price.tolist()) == (2, [101, 102])
    none = ceiling(predicted(market(rows)), free_strategy(maker_fee_bps=110, taker_fee_bps=110))
    assert len(none) == 0


def _best_by_brute_force(coin: PredictedCoin, strategy: Strategy, horizon: int) -> float:
    """The largest net profit of all sequences of orders with take-profits just below some high (or above some low), or none."""
    candles, count = coin.candles, len(coin.candles)
    profits: list[tuple[int, int, float]] = []
    for signal in coin.signal.tolist():
        entry = candles.columns.open[signal + 1]
        for side, extremes in ((1, candles.columns.high), (-1, candles.columns.low)):
            for hold in range(1, horizon + 1):
                for level in {np.inf, *np.abs(100 * (extremes[signal + 1 : signal + 1 + hold] / entry - 1)).tolist()}:
                    order = orders(signal, side=side, hold=hold, take_pct=max(level - 1e-9, 1e-9), stake=STAKE)
                    fills = fill_orders(candles, order, strategy.market)
                    for trade in simulate_trades(("A",), [fills]).net.tolist():
                        profits.append((signal, int(fills.exit_at[0]), trade))
    best = [0.0] * (count + 1)
    for at in range(count - 1, -1, -1):
        best[at] = max([best[at + 1], *(net + best[exit_at] for signal, exit_at, net in profits if signal == at)])
    return best[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.integers(97, 103)] * 4), min_size=4, max_size=7), st.sampled_from([0.0, 20.0]))
def test_equals_the_best_of_all_sequences_on_tiny_markets(ticks: list[tuple[int, ...]], fee_bps: float) -> None:
    candles = market([(row[0], max(row), min(row), row[1]) for row in ticks])
    strategy = strategy_with(
        entry={"allow_short": True}, exit={"horizon_candles": 3}, market=FREE | {"maker_fee_bps": fee_bps, "taker_fee_bps": fee_bps}
    )
    coin = predicted(candles)
    found = ceiling(coin, strategy).net.sum()
    best = _best_by_brute_force(coin, strategy, 3)
    assert best <= found + 1e-6
    # An order whose horizon is after the last candle is not placed, but perfect foresight may end it earlier.
    if best > 0:
        inside = coin.rows(coin.signal + 4 < len(candles))
        assert ceiling(inside, strategy).net.sum() <= best + 1e-3 * STAKE


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_orders_earn_more_in_any_market(data: st.DataObject) -> None:
    candles, rules = data.draw(markets("DEMOUSD")), data.draw(market_rules())
    chosen = data.draw(orders_for(candles))
    chosen = chosen.rows(chosen.signal < len(candles) - 1)
    strategy = Strategy.model_validate({"entry": {"allow_short": True}, "exit": {"horizon_candles": HORIZON}, "market": rules})
    if chosen.limit_price is not None and len(chosen):
        offset = abs(float(chosen.limit_price[0] / candles.columns.close[chosen.signal[0]] - 1.0)) * 1e4
        entry = {"allow_short": True, "order": "limit", "limit_offset_bps": round(offset, 6), "limit_valid_candles": chosen.valid_candles}
        strategy = Strategy.model_validate({"entry": entry, "exit": {"horizon_candles": HORIZON}, "market": rules})
    trades = simulate_trades(("DEMOUSD",), [fill_orders(candles, chosen, rules)])
    assert trades.net.sum() <= ceiling(predicted(candles), strategy).net.sum() + 1e-6


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param({}, id="long"),
        pytest.param({"entry": {"allow_short": True}}, id="both sides"),
        pytest.param({"exit": {"take_profit_share": 0.0, "stop_share": 0.0}}, id="horizon only"),
        pytest.param({"market": {"volume_share_pct": 1}}, id="little volume"),
        pytest.param({"entry": {"order": "limit", "limit_valid_candles": 3}}, id="limit orders"),
        pytest.param({"size": {"positions_per_coin": 4}}, id="four positions"),
        pytest.param({"size": {"by": "edge", "full_edge_pct": 0.3}}, id="stakes by edge"),
    ],
)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6])
def test_perfect_predictions_earn_no_more(tables: dict[str, dict[str, Any]], threshold: float) -> None:
    strategy = strategy_with(**tables)
    horizon = strategy.exit.horizon_candles
    candles = random_walk("DEMOUSD", 800, 3)
    coin = predicted(candles).rows(slice(0, 790))
    coin = replace(coin, predicted_pct=coin.actual_pct(horizon))
    context = context_of([coin], strategy, threshold)
    assert context.trades.net.sum() <= ceiling(coin, strategy, context.full_stake).net.sum() + 1e-9
    assert len(context.trades) > 5
