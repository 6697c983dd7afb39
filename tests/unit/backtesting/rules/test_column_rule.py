"""Column rules: what they are called with, and which orders their results make."""

from typing import Any

import numpy as np
import pytest

from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.column_rule import rule_columns
from coinfarm.backtesting.rules.user_rule import RuleError
from coinfarm.backtesting.strategy import Strategy
from coinfarm.errors import CoinfarmError
from tests.support.backtest_markets import market

CANDLES = market([(100 + at, 103 + at, 99 + at, 101 + at, 10 + at) for at in range(6)])
COIN = PredictedCoin(CANDLES, np.array([1, 3]), np.array([(2.0, -1.0, 0.5), (3.0, -4.0, -0.25)]), np.array([0, 7]))


def strategy(**tables: Any) -> Strategy:
    return Strategy.model_validate(tables)


def test_the_columns_are_the_predictions_and_the_signal_candles() -> None:
    columns = {name: column.tolist() for name, column in rule_columns(COIN).items()}
    assert columns == {
        "symbol": ["DEMOUSD"] * 2,
        "close_time": [CANDLES.open_time[1] + 59_999, CANDLES.open_time[3] + 59_999],
        "filled_candles": [0, 7],
        "max_rise_pct": [2.0, 3.0],
        "max_decline_pct": [-1.0, -4.0],
        "end_change_pct": [0.5, -0.25],
        "open": [101, 103],
        "high": [104, 106],
        "low": [100, 102],
        "close": [102, 104],
        "volume": [11, 13],
    }


def test_a_rule_cannot_change_the_predictions() -> None:
    def rule(columns: Any) -> Any:
        columns["end_change_pct"][:] = 9.0
        return np.ones(2)

    def forcing_rule(columns: Any) -> Any:
        for name in ("end_change_pct", "filled_candles"):
            columns[name].flags.writeable = True
        columns["filled_candles"][:] = 9
        return rule(columns)

    with pytest.raises(RuleError, match="read-only"):
        propose(Strategy(), COIN, 100.0, rule)
    propose(Strategy(), COIN, 100.0, forcing_rule)
    assert COIN.predicted_pct[0, 2] == 0.5
    assert COIN.filled_candles.tolist() == [0, 7]


def test_sides_alone_leave_exits_and_sizes_to_the_strategy() -> None:
    orders = propose(strategy(entry={"allow_short": True}, size={"by": "edge"}), COIN, 100.0, lambda _: [0, -1]).orders
    assert (orders.signal.tolist(), orders.side.tolist()) == ([3], [-1])
    assert (orders.stop_pct.tolist(), orders.take_pct.tolist(), orders.stake.tolist()) == ([3.0], [4.0], [25.0])


def test_a_rule_may_set_stop_take_profit_and_size() -> None:
    def rule(_: Any) -> Any:
        return {"side": [1, 1], "stop_pct": np.array([0.5, np.inf]), "take_profit_pct": 0.05, "stake_share": [0.25, 1]}

    orders = propose(Strategy(), COIN, 100.0, rule).orders
    assert orders.stop_pct.tolist() == [0.5, np.inf]
    assert orders.take_pct.tolist() == [0.05, 0.05]
    assert orders.stake.tolist() == [25.0, 100.0]


def test_values_without_an_order_are_ignored() -> None:
    orders = propose(Strategy(), COIN, 100.0, lambda _: {"side": [0, 1], "stop_pct": [np.nan, 2.0], "stake_share": [-5, 0.5]}).orders
    assert (orders.stop_pct.tolist(), orders.stake.tolist()) == ([2.0], [50.0])


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        pytest.param(np.zeros(3), r"side.*2 numbers.*\(3,\)", id="another length"),
        pytest.param(None, "side.*2 numbers.*None", id="nothing"),
        pytest.param(1, "side.*2 numbers.*1", id="one side for all"),
        pytest.param(["buy", "sell"], "side.*2 numbers.*<U4", id="text"),
        pytest.param([0.0, np.nan], "side.*nan in row 1", id="not a number"),
        pytest.param([0.5, 0], "side.*0.5 in row 0", id="another number"),
        pytest.param([[1], [0, 1]], "side.*2 numbers", id="ragged"),
        pytest.param([0, -1], "side.*allow_short", id="short"),
        pytest.param({"stop_pct": 1}, "side", id="no side"),
        pytest.param({"side": [1, 1], "stop": 1}, "'stop'.*stop_pct", id="unknown field"),
        pytest.param({"side": [1, 1], "stop_pct": [1, np.nan]}, "stop_pct.*nan in row 1", id="no stop"),
        pytest.param({"side": [1, 1], "take_profit_pct": 0}, "take_profit_pct.*0 in row 0", id="take-profit of zero"),
        pytest.param({"side": [1, 1], "stake_share": [1, 1.5]}, "stake_share.*1.5 in row 1", id="more than the full stake"),
        pytest.param({"side": [1, 1], "stake_share": [1, 1, 1]}, r"stake_share.*2 numbers.*\(3,\)", id="another length of the size"),
    ],
)
def test_rejects_what_a_rule_may_not_return(returned: Any, named: str) -> None:
    def rule(_: Any) -> Any:
        return returned

    place = rf"test_column_rule.*rule: .*test_column_rule\.py, line {rule.__code__.co_firstlineno}: "
    with pytest.raises(RuleError, match=f"{place}.*{named}"):
        propose(Strategy(), COIN, 100.0, rule)


@pytest.mark.parametrize(
    ("tables", "returned", "named"),
    [
        ({"exit": {"stop_share": 1.0}}, {"stop_pct": 1}, "exit.stop_share"),
        ({"exit": {"take_profit_share": 1.0}}, {"take_profit_pct": 1}, "exit.take_profit_share"),
        ({"exit": {"min_distance_pct": 0.1}}, {"stop_pct": 1, "take_profit_pct": 1}, "exit.min_distance_pct"),
        ({"size": {"by": "edge", "full_edge_pct": 2.0}}, {"stake_share": 1}, "size.by, size.full_edge_pct"),
    ],
)
def test_rejects_fields_that_a_returned_column_makes_meaningless(tables: dict[str, Any], returned: dict[str, Any], named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        propose(strategy(**tables), COIN, 100.0, lambda _: {"side": [1, 1], **returned})
    propose(strategy(**tables), COIN, 100.0, lambda _: [1, 1])
