"""The list of variants that is stored next to the predictions."""

from pathlib import Path

import pytest

from coinfarm.backtesting.strategy import Strategy, Thresholds
from coinfarm.backtesting.trials import add_trials, variant_key
from coinfarm.errors import CoinfarmError


def test_collects_the_variants_of_all_backtests(tmp_path: Path) -> None:
    assert add_trials(str(tmp_path), {"a": 0.1, "b": -0.2}) == {"a": 0.1, "b": -0.2}
    assert add_trials(str(tmp_path), {"b": -0.2, "c": 0.3}) == {"a": 0.1, "b": -0.2, "c": 0.3}
    assert add_trials(str(tmp_path), {"c": 0.3}) == {"a": 0.1, "b": -0.2, "c": 0.3}
    add_trials(f"{tmp_path}/collected.parquet", {"a": 0.1})
    assert {path.name for path in tmp_path.iterdir()} == {"backtest-trials.json", "collected.backtest-trials.json"}


def test_does_not_overwrite_another_file(tmp_path: Path) -> None:
    path = tmp_path / "backtest-trials.json"
    path.write_text("[]")
    with pytest.raises(CoinfarmError, match=r"backtest-trials\.json"):
        add_trials(str(tmp_path), {"a": 0.1})
    assert path.read_text() == "[]"


def test_variants_with_the_same_trades_are_the_same() -> None:
    strategy = Strategy()
    renamed = strategy.model_copy(update={"name": "other", "selection": strategy.selection.model_copy(update={"folds": 9})})
    given = Strategy.model_validate({"entry": {"min_end_change_pct": 0.2, "min_rise_to_decline": 1.0}})
    assert variant_key(renamed, Thresholds(0.2, 1.0)) == variant_key(strategy, Thresholds(0.2, 1.0)) == variant_key(given, None)
    cheaper = Strategy.model_validate({"market": {"taker_fee_bps": 1}})
    assert len({variant_key(strategy, Thresholds(0.2, 1.0)), variant_key(strategy, Thresholds(0.3, 1.0)), variant_key(cheaper, None)}) == 3
