"""The register of trials that is stored next to the predictions."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.trials import FILE_NAME, TrialKey, new_trial, register_trial, trial_key
from coinfarm.backtesting.rules.user_rule import Rule, StepRule, load_rule
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.backtesting.strategy import Strategy
from coinfarm.errors import CoinfarmError

PROFIT = DailyProfit(np.array([[1.5], [-0.25], [0.0]]), np.array([[100.0], [100.0], [0.0]]))


def predictions(shift: float = 0.0) -> list[CoinPredictions]:
    count = 4
    values = np.arange(3 * count, dtype=np.float64).reshape(count, 3) + shift
    return [CoinPredictions("DEMOUSD", "1m", None, np.arange(count), np.zeros(count, np.bool_), 0, np.zeros(count, np.int64), values)]


def key(
    of: dict[str, dict[str, object]] | None = None, rule: Rule | StepRule | None = None, name: str = "a", shift: float = 0.0
) -> TrialKey:
    return trial_key(Strategy.model_validate({"name": name, **(of or {})}), rule, predictions(shift))


def register(root: Path | str, at: TrialKey, name: str = "a", first_day: int = 10) -> list[str]:
    return [each.name for each in register_trial(str(root), at, new_trial(name, at, first_day, PROFIT))]


def test_returns_the_other_trials_on_the_same_predictions(tmp_path: Path) -> None:
    one, two, elsewhere = key({"exit": {"stop_share": 0}}), key(), key(shift=1.0)
    assert register(tmp_path, one, "one") == []
    assert register(tmp_path, two, "two") == ["one"]
    assert register(tmp_path, two, "two") == ["one"]
    assert register(tmp_path, elsewhere, "elsewhere") == []
    assert register(f"{tmp_path}/renamed.parquet", one, "one") == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_profits_are_aligned_by_day(tmp_path: Path) -> None:
    register(tmp_path, key(), first_day=10)
    at = key(name="b", of={"exit": {"stop_share": 0}})
    (other,) = register_trial(str(tmp_path), at, new_trial("b", at, 11, PROFIT))
    found = other.on_days(11, 4)
    assert found.net[:, 0].tolist() == [-0.25, 0.0, 0.0, 0.0]
    assert found.stake[:, 0].tolist() == [100.0, 0.0, 0.0, 0.0]
    assert other.on_days(13, 2).net.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize(
    "alike",
    [
        {"entry": {"order": "market"}, "size": {"by": "fixed"}},
        {"market": {"exchange": "binance"}},
        {"market": {"coins": {"DEMOUSD": {}}}},
        {"market": {"coins": {"DEMOUSD": {"slippage_bps": 2.0}}}},
    ],
    ids=["defaults", "fees of another exchange, which are equal", "no costs of a coin", "the same costs of a coin"],
)
def test_what_does_not_change_the_trades_is_the_same_trial(alike: dict[str, dict[str, object]]) -> None:
    assert key(alike, name="b") == key()


def test_fields_without_an_effect_are_not_in_the_key() -> None:
    given = Strategy.model_validate({"entry": {"min_end_change_pct": 0.2, "min_rise_to_decline": 1.0}})
    changes: dict[str, dict[str, object]] = {
        "entry": {"limit_offset_bps": 5.0},
        "size": {"full_edge_pct": 5.0},
        "market": {"borrow_bps_per_day": 5.0},
        "selection": {"folds": 9},
    }
    changed = given.model_copy(update={name: getattr(given, name).model_copy(update=values) for name, values in changes.items()})
    assert trial_key(changed, None, predictions()) == trial_key(given, None, predictions())


def test_what_changes_the_trades_makes_another_trial() -> None:
    others = [
        key({"selection": {"folds": 9}}),
        key({"selection": {"min_trades": 9}}),
        key({"market": {"taker_fee_bps": 1}}),
        key(shift=1.0),
    ]
    assert len({each.key for each in (key(), *others)}) == 5


def test_an_edited_rule_is_another_trial_and_a_renamed_file_is_not(tmp_path: Path) -> None:
    def rule(module: str, source: str) -> Rule:
        (tmp_path / f"{module}.py").write_text(source)
        return load_rule(f"{module}:enter", tmp_path)

    def source(threshold: int) -> str:
        return f"def enter(rows):\n    return (rows['end_change_pct'] > {threshold}) * 1\n"

    of: dict[str, dict[str, object]] = {"entry": {"rule": "x:enter"}}
    first, edited = key(of, rule("first", source(1))), key(of, rule("edited", source(2)))
    assert first != edited
    assert first == key({"entry": {"rule": "y:enter"}}, rule("renamed", source(1)))


def test_a_step_rule_is_another_trial_when_it_is_edited(tmp_path: Path) -> None:
    def rule(module: str, threshold: int) -> StepRule:
        (tmp_path / f"{module}.py").write_text(f"class Trader:\n    def __call__(self, view):\n        return {threshold}\n")
        return StepRule(load_rule(f"{module}:Trader", tmp_path))

    of: dict[str, dict[str, object]] = {"entry": {"step_rule": "x:Trader"}}
    first = key(of, rule("one", 1))
    assert first == key({"entry": {"step_rule": "y:Trader"}}, rule("two", 1))
    assert first != key(of, rule("one", 2))
    columns = load_rule("one:Trader", tmp_path)
    assert key(rule=columns) != key(rule=StepRule(columns))


def test_other_profits_with_the_same_key_are_another_trial(tmp_path: Path) -> None:
    """A rule may read a parameter from a file, or from a closure."""
    at = key()
    register(tmp_path, at, "before")
    changed = DailyProfit(PROFIT.net * 2.0, PROFIT.stake)
    assert [each.name for each in register_trial(str(tmp_path), at, new_trial("after", at, 10, changed))] == ["before"]
    assert register(tmp_path, at, "before") == ["after"]


def test_does_not_overwrite_another_file(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("[]")
    with pytest.raises(CoinfarmError, match=FILE_NAME):
        register(tmp_path, key())
    assert path.read_text() == "[]"
