"""The strategy's config and the orders that it proposes."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.proposals import propose
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.user_rule import StepRule
from coinfarm.backtesting.strategy import Size, Strategy
from coinfarm.errors import CoinfarmError
from tests.support.backtest_markets import flat, market

CANDLES = market([flat()] * 10)


def coin(*predictions: tuple[float, float, float]) -> PredictedCoin:
    count = len(predictions)
    return PredictedCoin(CANDLES, np.arange(count), np.array(predictions), np.zeros(count, np.int64))


def strategy(**tables: object) -> Strategy:
    return Strategy.model_validate(tables)


def test_a_file_overrides_defaults_and_names_the_strategy(tmp_path: Path) -> None:
    path = tmp_path / "careful.toml"
    path.write_text("[entry]\nmin_end_change_pct = 0.3\nmin_rise_to_decline = 2\n\n[market]\ntaker_fee_bps = 1.5\n")
    read = Strategy.read(path)
    assert (read.name, read.entry.min_end_change_pct, read.market.taker_fee_bps) == ("careful", 0.3, 1.5)
    assert not read.has_open_thresholds
    assert Strategy().has_open_thresholds


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[entry]\nmin_end_change = 1", "entry.min_end_change: "),
        ("[market]\ntaker_fee_bps = -1", "market.taker_fee_bps: "),
        ("[entry]\nrule = 'no colon'", "entry.rule: "),
        ("[exit]\nstop_share = '1'", "exit.stop_share: "),
        ("[exit]\nstop_share = true", "exit.stop_share: "),
        ("[exit]\nstop_share = nan", "exit.stop_share: "),
        ("[exit]\nhorizon_candles = 99999999999999999999", "exit.horizon_candles: "),
        ("[market]\ntaker_fee_bps = 1e300", "market.taker_fee_bps: "),
        ("[size]\ncapital = 1e300", "size.capital: "),
        ("[entry", r"strategy\.toml: "),
    ],
    ids=[
        "unknown field",
        "negative fee",
        "no function",
        "text",
        "true",
        "not a number",
        "too large for an index",
        "a fee that overflows",
        "money that overflows",
        "not TOML",
    ],
)
def test_names_the_invalid_field(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "strategy.toml"
    path.write_text(text)
    with pytest.raises(CoinfarmError, match=field):
        Strategy.read(path)


def test_the_side_is_that_of_the_predicted_end_change() -> None:
    proposals = propose(strategy(entry={"allow_short": True}), coin((1, -1, 0.5), (1, -1, -0.5), (1, -1, 0.0)), 100.0, None)
    assert proposals.orders.side.tolist() == [1, -1]
    assert proposals.orders.signal.tolist() == [0, 1]
    assert propose(Strategy(), coin((1, -1, 0.5), (1, -1, -0.5)), 100.0, None).orders.side.tolist() == [1]
    assert proposals.end_change_pct.tolist() == [0.5, 0.5]


def test_the_ratio_is_the_move_with_the_trade_over_the_one_against_it() -> None:
    proposals = propose(strategy(entry={"allow_short": True}), coin((3, -1, 0.5), (3, -1, -0.5)), 100.0, None)
    np.testing.assert_allclose(proposals.rise_to_decline, [3.0, 1 / 3])


def test_exit_orders_are_shares_of_the_predicted_moves_with_a_minimum_distance() -> None:
    shares = {"take_profit_share": 0.5, "stop_share": 2.0, "min_distance_pct": 0.1}
    proposals = propose(
        strategy(exit=shares, entry={"allow_short": True}), coin((3, -1, 0.5), (3, -1, -0.5), (0.02, 0.01, 0.5)), 100.0, None
    )
    np.testing.assert_allclose(proposals.orders.take_pct, [1.5, 0.5, 0.1])
    np.testing.assert_allclose(proposals.orders.stop_pct, [2.0, 6.0, 0.1])


def test_shares_of_zero_mean_no_exit_orders() -> None:
    proposals = propose(strategy(exit={"take_profit_share": 0, "stop_share": 0}), coin((3, -1, 0.5)), 100.0, None)
    assert np.isinf(proposals.orders.take_pct).all()
    assert np.isinf(proposals.orders.stop_pct).all()


def test_an_order_reaches_a_threshold_at_its_value() -> None:
    proposals = propose(Strategy(), coin((2, -1, 0.5), (2, -1, 0.4), (1.9, -1, 0.5)), 100.0, None)
    assert proposals.reach_thresholds(0.5, 2.0).tolist() == [True, False, False]
    assert proposals.reach_thresholds(np.array([0.0, 0.4, 0.6]), np.array([0.0, 2.0, 0.0])).tolist() == [True, True, False]


def test_limit_orders_are_placed_better_than_the_signals_close() -> None:
    limit = {"order": "limit", "limit_offset_bps": 50, "limit_valid_candles": 7, "allow_short": True}
    placed = propose(strategy(entry=limit), coin((1, -1, 0.5), (1, -1, -0.5)), 100.0, None).orders
    assert placed.limit_price is not None
    assert placed.limit_price.tolist() == pytest.approx([99.5, 100.5])
    assert placed.valid_candles == 7
    at_market = propose(Strategy(), coin((1, -1, 0.5)), 100.0, None).orders
    assert (at_market.limit_price, at_market.valid_candles) == (None, 1)


def test_exposures_are_shares_of_the_capital() -> None:
    limits = Size(capital=2_000, max_exposure_pct=50, max_coin_exposure_pct=10, max_positions=3).limits
    assert limits == PositionLimits(1, 3, 200.0, 1_000.0)


def test_the_stake_is_proportional_to_the_edge() -> None:
    proposals = propose(strategy(size={"by": "edge", "full_edge_pct": 0.5}), coin((1, -1, 0.1), (1, -1, 0.5), (1, -1, 2.0)), 100.0, None)
    np.testing.assert_allclose(proposals.orders.stake, [20, 100, 100])


@pytest.mark.parametrize(
    ("size", "coins", "stake"),
    [({}, 4, 2_500), ({"max_positions": 2}, 4, 5_000), ({"positions_per_coin": 2}, 1, 5_000), ({"stake_pct": 10}, 4, 1_000)],
    ids=["one per coin", "limited", "several per coin", "given"],
)
def test_divides_the_capital_among_the_possible_positions(size: dict[str, float], coins: int, stake: float) -> None:
    assert Size.model_validate(size).full_stake(coins) == stake


def test_rejects_stakes_above_the_capital() -> None:
    with pytest.raises(CoinfarmError, match="4 positions of 30 %"):
        Size(stake_pct=30).full_stake(4)


def test_rejects_two_rules() -> None:
    with pytest.raises(ValueError, match=r"entry\.rule and entry\.step_rule"):
        Strategy.model_validate({"entry": {"rule": "a:b", "step_rule": "a:b"}})


def test_a_rule_leaves_no_thresholds_to_choose() -> None:
    assert not strategy(entry={"step_rule": "a:b"}).has_open_thresholds
    assert not strategy(entry={"rule": "a:b"}).has_open_thresholds


def test_a_strategy_loads_its_rule(tmp_path: Path) -> None:
    (tmp_path / "two_rules_of_test.py").write_text("def enter(columns):\n    return 0\n\nclass Trader:\n    pass\n")
    step = strategy(entry={"step_rule": "two_rules_of_test:Trader"}).load_rule(tmp_path)
    assert isinstance(step, StepRule)
    assert step.function.__name__ == "Trader"
    assert callable(strategy(entry={"rule": "two_rules_of_test:enter"}).load_rule(tmp_path))
    assert Strategy().load_rule(tmp_path) is None
