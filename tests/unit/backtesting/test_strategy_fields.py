"""The documentation of a strategy's fields is complete, and in step with the models."""

import re
import tomllib
from typing import Any

import pytest

from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.strategy_fields import NO_DEFAULT, StrategyField, example_strategy, strategy_tables
from tests.support.repository import ROOT
from tests.support.strategy_page import field_tables

SETTING = re.compile(r"#(\[.*\]|\w+ = .*)")
TABLES = list(strategy_tables())
FIELDS = [(table.name, field) for table in TABLES for field in table.fields]


def uncommented(*, examples: bool) -> dict[str, Any]:
    """The example file with all settings active, or only those with a default."""
    lines = example_strategy().splitlines()
    active = [match[1] if (match := SETTING.fullmatch(line)) and (examples or is_default(line)) else line for line in lines]
    return tomllib.loads("\n".join(active))


def is_default(line: str) -> bool:
    return NO_DEFAULT not in line and not line.startswith("#[")


def test_the_example_is_the_default_strategy_as_written_and_uncommented() -> None:
    assert Strategy.model_validate(tomllib.loads(example_strategy())) == Strategy()
    settings = uncommented(examples=False)
    assert Strategy.model_validate(settings) == Strategy()
    assert sum(map(len, settings.values())) - len(settings["name"]) == sum(field.default is not None for name, field in FIELDS if name)


def test_the_example_has_every_field() -> None:
    defaults = Strategy().model_dump(exclude={"market": {"coins"}})
    settings = uncommented(examples=True)
    (costs,) = settings["market"].pop("coins").values()
    assert {name: set(table) for name, table in settings.items() if name != "name"} == {
        name: set(table) for name, table in defaults.items() if name != "name"
    }
    assert set(costs) == set(Strategy.model_validate({"market": {"coins": {"A": {}}}}).market.coins["A"].model_dump())


@pytest.mark.parametrize(("table", "field"), [pytest.param(table, field, id=f"{table}.{field.name}") for table, field in FIELDS])
def test_every_field_has_a_meaning_and_a_valid_example(table: str, field: StrategyField) -> None:
    assert len(field.meaning) > 20
    assert field.values
    header = f"[{table}]\n" if table else ""
    Strategy.model_validate(tomllib.loads(f"{header}{field.name} = {field.example}"))


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_the_page_has_the_table_of_the_fields(table: str) -> None:
    page = (ROOT / "docs/strategy.md").read_text(encoding="utf-8")
    assert field_tables()[table] in page, f"replace the table in docs/strategy.md by\n{field_tables()[table]}"
