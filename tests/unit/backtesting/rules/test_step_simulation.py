"""Step rules: what they see, what their orders and exits do, and the slow reference simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import HORIZON, RULE, STOP, TAKE_PROFIT, Trades
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.step_simulation import simulate_steps
from coinfarm.backtesting.rules.step_view import StepView
from coinfarm.backtesting.rules.user_rule import RuleError, StepRule
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.candles import Candles
from tests.support.backtest_markets import FREE, START_MS, flat, market, market_rules, markets, noisy_predictions, random_walk
from tests.support.simulated_trades import assert_same_trades
from tests.support.step_reference import simulate_steps_by_candle

NO_EXITS = {"take_profit_share": 0, "stop_share": 0, "horizon_candles": 4}


def strategy(**tables: Any) -> Strategy:
    return Strategy.model_validate({"market": FREE, "entry": {"allow_short": True}, "exit": NO_EXITS} | tables)


def predicted(candles: Candles, *signals: int) -> PredictedCoin:
    at = np.array(signals or range(len(candles)))
    values = np.column_stack([1.0 + at, -1.0 - at, 0.5 * np.ones(len(at))])
    return PredictedCoin(candles, at, values, np.zeros(len(at), np.int64))


def run(rule: Callable[[StepView], Any], coins: list[PredictedCoin], given: Strategy | None = None) -> Trades:
    return simulate_steps(tuple(coin.symbol for coin in coins), coins, strategy() if given is None else given, StepRule(rule), 1_000.0)[0]


def by_time(actions: dict[int, Any]) -> Callable[[StepView], Any]:
    """A rule with an action at some candles."""
    return lambda view: actions.get(len(view.candles.close) - 1)


def test_a_rule_sees_the_past_and_nothing_else() -> None:
    candles = market([(100 + at, 101 + at, 99 + at, 100 + at) for at in range(10)], missing=[3])
    seen: list[StepView] = []
    run(seen.append, [predicted(candles, 2, 5, 8)])
    assert [view.close_time for view in seen] == [START_MS + minutes * 60_000 - 1 for minutes in (3, 6, 9)]
    for view, last in zip(seen, (2, 5, 8), strict=True):
        for column, complete in zip(view.candles, (candles.open_time, *candles.columns, candles.filled), strict=True):
            assert column.tolist() == complete[: last + 1].tolist()
    assert seen[1].predictions["max_rise_pct"].tolist() == [3.0, 6.0]
    assert {len(column) for column in seen[2].predictions.values()} == {3}


def test_not_even_the_memory_behind_a_view_has_later_data() -> None:
    candles, found = random_walk("DEMOUSD", 40, 1), []

    def rule(view: StepView) -> None:
        now = len(view.candles.close)
        for column in (*view.candles, *view.predictions.values()):
            behind = column if column.base is None else column.base
            found.append(not np.any(behind[len(column) :]))
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 0
        assert view.candles.close[-1] == candles.columns.close[now - 1]

    run(rule, [predicted(candles, *range(5, 30))])
    assert len(found) == 25 * 12
    assert all(found)


def test_a_rule_sees_its_open_positions() -> None:
    seen = []

    def rule(view: StepView) -> Any:
        seen.append(view.position)
        return {"side": -1, "stake_share": 0.5} if view.position is None else None

    candles = market([flat(), (102, 103, 101, 102), *[flat()] * 8])
    run(rule, [predicted(candles, 0, 1, 4, 5)])
    assert seen[0] is None
    assert seen[1] == seen[2] == (START_MS + 60_000, 102.0, -1, 500.0)
    assert seen[3] is None


def test_orders_may_set_stop_take_profit_and_size() -> None:
    candles = market([flat(), flat(), (100, 100, 98, 100), *[flat()] * 3, (100, 104, 100, 104), *[flat()] * 8])
    found = run(
        by_time({0: {"side": 1, "stop_pct": 1.0, "stake_share": 0.25}, 4: {"side": 1, "take_profit_pct": 3.0}}), [predicted(candles)]
    )
    assert found.reason.tolist() == [STOP, TAKE_PROFIT]
    assert found.exit_price.tolist() == pytest.approx([99.0, 103.0])
    assert found.stake.tolist() == [250.0, 1_000.0]


def test_orders_without_them_have_those_of_the_strategy() -> None:
    candles = market([flat(), flat(), (100, 100, 98, 100), *[flat()] * 8])
    found = run(by_time({0: 1}), [predicted(candles)], strategy(exit={"stop_share": 1.5, "take_profit_share": 0, "horizon_candles": 4}))
    assert (found.reason.tolist(), found.exit_price.tolist()) == ([STOP], [98.5])


def test_an_exit_closes_the_position_at_the_next_open() -> None:
    candles = market([flat(), flat(), (103, 104, 102, 103), (105, 106, 104, 105), *[flat()] * 6])
    found = run(by_time({0: 1, 2: "exit"}), [predicted(candles)])
    assert (found.exit_price.tolist(), found.reason.tolist()) == ([105.0], [RULE])
    assert found.exit_ms.tolist() == [START_MS + 3 * 60_000]


def test_an_exit_without_a_position_or_after_its_horizon_changes_nothing() -> None:
    candles = market([flat()] * 12)
    expected = run(by_time({0: 1}), [predicted(candles)])
    assert expected.reason.tolist() == [HORIZON]
    assert_same_trades(run(by_time({0: 1, 4: "exit", 5: "exit", 9: "exit"}), [predicted(candles)]), expected)


@pytest.mark.parametrize(("action", "trades"), [(None, 1), ("exit", 0)])
def test_an_exit_cancels_an_order_that_is_not_filled_yet(action: str | None, trades: int) -> None:
    limit = strategy(entry={"allow_short": True, "order": "limit", "limit_offset_bps": 100, "limit_valid_candles": 4})
    candles = market([flat(), flat(), flat(), (98, 98, 98, 98), *[flat()] * 8])
    seen = []

    def rule(view: StepView) -> Any:
        seen.append((view.waiting_orders, len(view.positions)))
        return by_time({0: 1, 2: action})(view)

    assert len(run(rule, [predicted(candles)], limit)) == trades
    assert seen[:4] == [(0, 0), (1, 0), (1, 0), (0, trades)]


def test_a_new_instance_trades_each_coin() -> None:
    class Once:
        def __init__(self) -> None:
            self.is_done = False

        def __call__(self, view: StepView) -> Any:
            self.is_done, was_done = True, self.is_done
            return None if was_done else 1

    coins = [predicted(market([flat()] * 12, symbol=symbol)) for symbol in ("DEMOA", "DEMOB")]
    assert run(Once, coins).coin.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        ("close", "'close'"),
        (2, "side.*2"),
        ([1], "side.*a number"),
        (float("nan"), "side.*nan"),
        ({"side": 1, "stop_pct": -1}, "stop_pct.*-1"),
        ({"side": 1, "price": 5}, "'price'"),
    ],
)
def test_rejects_what_a_rule_may_not_return(returned: Any, named: str) -> None:
    with pytest.raises(RuleError, match=rf"test_step_simulation\.py, line \d+: .*{named}"):
        run(lambda _: returned, [predicted(market([flat()] * 8))])


def test_names_the_line_that_raised() -> None:
    with pytest.raises(RuleError, match=r"test_step_simulation\.py, line \d+: IndexError"):
        run(lambda view: view.candles.close[99], [predicted(market([flat()] * 8))])


def test_the_same_decisions_make_the_same_trades_as_a_column_rule() -> None:
    coins = [noisy_predictions(random_walk(symbol, 900, seed), 60, seed + 5) for seed, symbol in enumerate(("DEMOA", "DEMOB"))]
    given = Strategy.model_validate(
        {"size": {"max_positions": 1, "by": "edge"}, "exit": {"horizon_candles": 20}, "market": {"min_order": 0}}
    )
    fills = [
        fill_orders(coin.candles, propose(given, coin, 1_000.0, lambda rows: (rows["end_change_pct"] > 0.1) * 1).orders, given.market)
        for coin in coins
    ]
    expected = simulate_trades(("DEMOA", "DEMOB"), fills, given.size.limits)
    found = run(lambda view: int(view.predictions["end_change_pct"][-1] > 0.1), coins, given)
    assert len(expected) > 20
    assert_same_trades(found, expected)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_makes_the_same_trades_as_the_slow_simulation(data: st.DataObject) -> None:
    coins = [predicted(data.draw(markets(f"DEMO{name}"))) for name in "AB"[: data.draw(st.integers(1, 2))]]
    distance = st.sampled_from([0.5, 1.0, 3.0, np.inf])
    order = st.fixed_dictionaries(
        {
            "side": st.sampled_from([1, -1]),
            "stop_pct": distance,
            "take_profit_pct": distance,
            "stake_share": st.sampled_from([0.1, 1.0]),
        }
    )
    actions = data.draw(st.lists(order, min_size=1, max_size=5))
    exits = data.draw(st.integers(1, 4))

    def rule(view: StepView) -> Any:
        # What was seen decides, too, so that views must be the same.
        seen = view.candles.close.sum() + sum(view.predictions["max_rise_pct"]) + view.waiting_orders + len(view.symbol)
        seen += sum(each.entry_price + each.side + each.stake + each.entry_time // 60_000 for each in view.positions)
        number = int(100 * round(seen, 2))
        if (view.positions or view.waiting_orders) and number % exits == 0:
            return "exit"
        return actions[number % len(actions)] if number % 7 else None

    entry = data.draw(st.sampled_from([{}, {"order": "limit", "limit_offset_bps": 50, "limit_valid_candles": 3}]))
    size = data.draw(st.sampled_from([{}, {"positions_per_coin": 2}, {"max_positions": 1}, {"max_exposure_pct": 11}]))
    given = Strategy.model_validate(
        {
            "entry": {"allow_short": True} | entry,
            "size": size,
            "exit": NO_EXITS | {"horizon_candles": data.draw(st.integers(1, 6))},
            "market": data.draw(market_rules()),
        }
    )
    assert_same_trades(run(rule, coins, given), simulate_steps_by_candle(coins, given, rule, 1_000.0))
