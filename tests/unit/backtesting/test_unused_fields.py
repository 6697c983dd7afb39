"""Fields that have no effect are errors that name them."""

import re
from typing import Any

import pytest

from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.unused_fields import Usage, check_unused_fields, unused_fields_text
from coinfarm.errors import CoinfarmError

Tables = dict[str, dict[str, Any]]

BOTH = {"min_end_change_pct": 0.0, "min_rise_to_decline": 1.0}
SHORT_COSTS = {"borrow_bps_per_day": 1, "coins": {"BTCUSDT": {"liquidation_fee_bps": 1}}}


@pytest.mark.parametrize(
    ("given", "named", "change"),
    [
        ({"entry": {"limit_offset_bps": 5}}, ["entry.limit_offset_bps"], {"entry": {"order": "limit"}}),
        ({"entry": {"limit_valid_candles": 5}}, ["entry.limit_valid_candles"], {"entry": {"order": "limit"}}),
        ({"size": {"full_edge_pct": 0.5}}, ["size.full_edge_pct"], {"size": {"by": "edge"}}),
        (
            {"exit": {"min_distance_pct": 0.2, "stop_share": 0, "take_profit_share": 0}},
            ["exit.min_distance_pct"],
            {"exit": {"stop_share": 0.5}},
        ),
        (
            {"size": {"max_coin_exposure_pct": 50, "max_exposure_pct": 40}},
            ["size.max_coin_exposure_pct"],
            {"size": {"max_exposure_pct": 60}},
        ),
        ({"market": SHORT_COSTS}, ["market.borrow_bps_per_day", "BTCUSDT.liquidation_fee_bps"], {"entry": {"allow_short": True}}),
        ({"market": {"maintenance_margin_pct": 5}}, ["market.maintenance_margin_pct"], {"entry": {"allow_short": True}}),
        (
            {"market": {"exchange": "kraken", "maker_fee_bps": 1, "taker_fee_bps": 1}},
            ["market.exchange"],
            {"market": {"taker_fee_bps": None}},
        ),
        ({"entry": BOTH, "selection": {"folds": 4}}, ["selection.folds"], {"entry": {"min_rise_to_decline": None}}),
        (
            {"entry": {"min_end_change_pct": 1}, "selection": {"end_change_steps": 4}},
            ["selection.end_change_steps"],
            {"entry": {"min_end_change_pct": None}},
        ),
        (
            {"entry": {"min_rise_to_decline": 1}, "selection": {"rise_to_decline_steps": 4}},
            ["selection.rise_to_decline_steps"],
            {"entry": {"min_rise_to_decline": None}},
        ),
        *(
            ({**fields, "entry": {**fields.get("entry", {}), rule: "my_rules:enter"}}, named, {"entry": {rule: None}})
            for rule in ("rule", "step_rule")
            for fields, named in (({"entry": BOTH}, [f"entry.{name}" for name in BOTH]), ({"selection": {"folds": 4}}, ["selection.folds"]))
        ),
    ],
)
def test_rejects_fields_without_an_effect_until_another_is_changed(given: Tables, named: list[str], change: Tables) -> None:
    with pytest.raises(ValueError, match=".*".join(map(re.escape, named))):
        Strategy.model_validate(given)
    Strategy.model_validate(changed(given, change))


def changed(given: Tables, change: Tables) -> Tables:
    """With other values; None removes a field."""
    document = {name: {**given.get(name, {}), **change.get(name, {})} for name in (*given, *change)}
    return {name: {field: value for field, value in table.items() if value is not None} for name, table in document.items()}


def test_names_every_field_at_once() -> None:
    with pytest.raises(ValueError, match=r"limit_offset_bps.*full_edge_pct.*borrow_bps_per_day"):
        Strategy.model_validate({"entry": {"limit_offset_bps": 5}, "size": {"full_edge_pct": 2}, "market": {"borrow_bps_per_day": 1}})


@pytest.mark.parametrize("tables", [{"entry": BOTH}, {"selection": {"folds": 4}}], ids=["thresholds", "selection, even with the default"])
def test_a_rule_passed_in_python_leaves_thresholds_without_an_effect(tables: Tables) -> None:
    with pytest.raises(CoinfarmError, match=r"entry\.min_end_change_pct|selection\.folds"):
        check_unused_fields(Strategy.model_validate(tables), Usage(has_rule=True))


def test_a_sweep_leaves_thresholds_without_an_effect() -> None:
    text = unused_fields_text(Strategy.model_validate({"entry": BOTH}), Usage(is_sweep=True))
    assert text is not None
    assert all(name in text for name in BOTH)
    assert unused_fields_text(Strategy.model_validate({"selection": {"folds": 4}}), Usage(is_sweep=True)) is None
