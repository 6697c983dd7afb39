"""The strategy's config, and what it proposes."""

import sys
from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtest.predicted_coin import PredictedCoin
from coinfarm.backtest.proposals import propose
from coinfarm.backtest.strategy import BINANCE_US_TAKER_FEE_BPS, Market, Size, Strategy, load_rule
from coinfarm.errors import CoinfarmError
from tests.support.backtest_markets import flat, market

CANDLES = market([flat()] * 10)


def coin(*predictions: tuple[float, float, float]) -> PredictedCoin:
    count = len(predictions)
    return PredictedCoin(CANDLES, np.arange(count), np.array(predictions), np.zeros(count, np.int64))


def strategy(**tables: object) -> Strategy:
    return Strategy.model_validate(tables)


def test_every_field_has_a_default() -> None:
    assert Strategy().market == Market(taker_fee_bps=BINANCE_US_TAKER_FEE_BPS)
    assert Strategy().has_open_thresholds


def test_a_file_gives_what_it_wants_and_its_name(tmp_path: Path) -> None:
    path = tmp_path / "careful.toml"
    path.write_text("[entry]\nmin_end_change_pct = 0.3\nmin_rise_to_decline = 2\n\n[market]\ntaker_fee_bps = 1.5\n")
    read = Strategy.read(path)
    assert (read.name, read.entry.min_end_change_pct, read.market.taker_fee_bps) == ("careful", 0.3, 1.5)
    assert not read.has_open_thresholds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[entry]\nmin_end_change = 1", "entry.min_end_change: Extra inputs"),
        ("[market]\ntaker_fee_bps = -1", "market.taker_fee_bps: .*greater than or equal to 0"),
        ("[exit]\nhorizon_candles = 0", "exit.horizon_candles"),
        ("[size]\nby = 'hope'", "size.by: Input should be 'fixed' or 'edge'"),
        ("[entry]\nrule = 'no colon'", "entry.rule"),
        ("[entry", "strategy.toml: "),
    ],
    ids=["unknown", "a negative fee", "no horizon", "another way", "no function", "no TOML"],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "strategy.toml"
    path.write_text(text)
    with pytest.raises(CoinfarmError, match=message):
        Strategy.read(path)


def test_the_side_is_that_of_the_predicted_end_change() -> None:
    made = propose(strategy(entry={"allow_short": True}), coin((1, -1, 0.5), (1, -1, -0.5), (1, -1, 0.0)), 100.0, None)
    assert made.orders.side.tolist() == [1, -1]
    assert made.orders.signal.tolist() == [0, 1]
    assert made.end_change_pct.tolist() == [0.5, 0.5]


def test_without_leave_nothing_is_sold_short() -> None:
    assert propose(Strategy(), coin((1, -1, 0.5), (1, -1, -0.5)), 100.0, None).orders.side.tolist() == [1]


def test_the_ratio_is_of_the_move_with_the_trade_to_that_against_it() -> None:
    made = propose(strategy(entry={"allow_short": True}), coin((3, -1, 0.5), (3, -1, -0.5)), 100.0, None)
    np.testing.assert_allclose(made.rise_to_decline, [3.0, 1 / 3])


def test_stop_and_take_profit_are_shares_of_the_predicted_moves_and_not_too_near() -> None:
    shares = {"take_profit_share": 0.5, "stop_share": 2.0, "min_distance_pct": 0.1}
    made = propose(strategy(exit=shares, entry={"allow_short": True}), coin((3, -1, 0.5), (3, -1, -0.5), (0.02, 0.01, 0.5)), 100.0, None)
    np.testing.assert_allclose(made.orders.take_pct, [1.5, 0.5, 0.1])
    np.testing.assert_allclose(made.orders.stop_pct, [2.0, 6.0, 0.1])


def test_with_shares_of_zero_one_leaves_at_the_horizon_only() -> None:
    made = propose(strategy(exit={"take_profit_share": 0, "stop_share": 0}), coin((3, -1, 0.5)), 100.0, None)
    assert np.isinf(made.orders.take_pct).all()
    assert np.isinf(made.orders.stop_pct).all()


def test_thresholds_are_reached_from_their_value_on() -> None:
    made = propose(Strategy(), coin((2, -1, 0.5), (2, -1, 0.4), (1.9, -1, 0.5)), 100.0, None)
    assert made.reach_thresholds(0.5, 2.0).tolist() == [True, False, False]
    assert made.reach_thresholds(np.array([0.0, 0.4, 0.6]), np.array([0.0, 2.0, 0.0])).tolist() == [True, True, False]


def test_the_stake_may_follow_the_edge() -> None:
    made = propose(strategy(size={"by": "edge", "full_edge_pct": 0.5}), coin((1, -1, 0.1), (1, -1, 0.5), (1, -1, 2.0)), 100.0, None)
    np.testing.assert_allclose(made.orders.stake, [20, 100, 100])


@pytest.mark.parametrize(
    ("size", "coins", "stake"),
    [({}, 4, 2_500), ({"max_positions": 2}, 4, 5_000), ({"positions_per_coin": 2}, 1, 5_000), ({"stake_pct": 10}, 4, 1_000)],
    ids=["an equal part each", "of those that may be", "several per coin", "as given"],
)
def test_the_capital_is_shared_by_the_positions_that_there_may_be(size: dict[str, float], coins: int, stake: float) -> None:
    assert Size.model_validate(size).full_stake(coins) == stake


def test_more_than_the_capital_cannot_be_staked() -> None:
    with pytest.raises(CoinfarmError, match=r"4 positions of 30 % need more than the capital"):
        Size(stake_pct=30).full_stake(4)


def test_a_rule_of_ones_own_lies_beside_the_strategy_file(tmp_path: Path) -> None:
    (tmp_path / "my_rules_of_test.py").write_text("def enter(columns):\n    return (columns['max_rise_pct'] > 1).astype(int)\n")
    rule = load_rule("my_rules_of_test:enter", tmp_path)
    made = propose(Strategy(), coin((0.5, -1, 9), (2, -1, -0.5)), 100.0, rule)
    assert made.orders.signal.tolist() == [1]
    assert str(tmp_path) not in sys.path


def test_a_rule_gets_the_predictions_columns() -> None:
    seen = {}

    def rule(columns):  # type: ignore[no-untyped-def]
        seen.update(columns)
        return np.zeros(2)

    propose(Strategy(), coin((0.5, -1, 9), (2, -3, -0.5)), 100.0, rule)
    assert list(seen) == ["symbol", "close_time", "filled_candles", "max_rise_pct", "max_decline_pct", "end_change_pct"]
    assert seen["symbol"].tolist() == ["DEMOUSD"] * 2
    assert seen["close_time"].tolist() == [CANDLES.open_time[0] + 59_999, CANDLES.open_time[1] + 59_999]
    assert seen["max_decline_pct"].tolist() == [-1, -3]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(3), "an array of 2 numbers"),
        (np.array([0.5, 0]), "1 .long., 0 .nothing. or -1"),
        (np.array([-1, 0]), "allow_short = true"),
    ],
    ids=["of another length", "of other numbers", "short without leave"],
)
def test_a_rules_answer_is_checked(answer: np.ndarray, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(CoinfarmError, match=message):
        propose(Strategy(), coin((1, -1, 1), (1, -1, 1)), 100.0, lambda columns: answer)


@pytest.mark.parametrize("name", ["no_such_module_of_test:enter", "json:no_such_function"], ids=["module", "function"])
def test_a_rule_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CoinfarmError, match=f"entry.rule {name}"):
        load_rule(name, tmp_path)
