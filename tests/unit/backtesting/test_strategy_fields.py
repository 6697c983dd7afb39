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


USED_WITH: dict[str, dict[str, dict[str, object]]] = {
    "limit_offset_bps": {"entry": {"order": "limit"}},
    "limit_valid_candles": {"entry": {"order": "limit"}},
    "full_edge_pct": {"size": {"by": "edge"}},
    "borrow_bps_per_day": {"entry": {"allow_short": True}},
    "maintenance_margin_pct": {"entry": {"allow_short": True}},
    "liquidation_fee_bps": {"entry": {"allow_short": True}},
}
"""Fields that have no effect with the defaults of others, which are an error then."""


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
    assert sum(map(len, settings.values())) - len(settings["name"]) == sum(field.default is not None for name, field in FIELDS if name)
    used = {table: {name: value for name, value in fields.items() if name not in USED_WITH} for table, fields in tables(settings).items()}
    used["market"].pop("exchange")  # it would have no effect beside both fees
    assert Strategy.model_validate(used) == Strategy()


def tables(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: table for name, table in settings.items() if name != "name"}


def test_the_example_has_every_field() -> None:
    defaults = Strategy().model_dump(exclude={"market": {"coins"}})
    settings = uncommented(examples=True)
    (costs,) = settings["market"].pop("coins").values()
    assert {name: set(table) for name, table in tables(settings).items()} == {name: set(table) for name, table in tables(defaults).items()}
    assert set(costs) == set(Strategy.model_validate({"market": {"coins": {"A": {}}}}).market.coins["A"].model_dump())


@pytest.mark.parametrize(("table", "field"), [pytest.param(table, field, id=f"{table}.{field.name}") for table, field in FIELDS])
def test_every_field_has_a_meaning_and_a_valid_example(table: str, field: StrategyField) -> None:
    assert len(field.meaning) > 20
    assert field.values
    header = f"[{table}]\n" if table else ""
    document = tomllib.loads(f"{header}{field.name} = {field.example}")
    for name, values in USED_WITH.get(field.name, {}).items():
        with pytest.raises(ValueError, match=rf"{field.name}\b.*{next(iter(values))}"):
            Strategy.model_validate(document)
        document[name] = document.get(name, {}) | values
    Strategy.model_validate(document)


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_the_page_has_the_table_of_the_fields(table: str) -> None:
    page = (ROOT / "docs/strategy.md").read_text(encoding="utf-8")
    assert field_tables()[table] in page, f"replace the table in docs/strategy.md by\n{field_tables()[table]}"
