"""The fields of a strategy file, as its models document them, and an example file with all of them."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.strategy import Strategy

NO_DEFAULT = "no default"
_COIN = "BTCUSDT"
_EXAMPLES: dict[str, object] = {
    "min_end_change_pct": 0.2,
    "min_rise_to_decline": 1.5,
    "rule": "my_strategy:enter",
    "step_rule": "my_strategy:Trader",
    "stake_pct": 10.0,
    "max_positions": 2,
    "max_exposure_pct": 50.0,
    "max_coin_exposure_pct": 20.0,
    **Market().model_dump(),
}
"""Values for fields that have no default."""
_WIDTH = 110
_HEADER = """\
# A strategy for `coinfarm backtest --strategy FILE`. Every setting may be left out. They are all here with their defaults: to change one,
# remove the # in front of it. One that would have no effect is an error. Settings without a default have an example. A test keeps this
# file in step with the program."""


class StrategyField(NamedTuple):
    """A field of a strategy file. `default` and `example` are in TOML; `default` is None if there is none. `values` are those allowed."""

    name: str
    default: str | None
    example: str
    values: str
    meaning: str


class StrategyTable(NamedTuple):
    """A table of a strategy file; the first one, without a name, is the top level. An optional one is not in every strategy."""

    name: str
    meaning: str
    fields: tuple[StrategyField, ...]
    is_optional: bool = False


def strategy_tables() -> Iterator[StrategyTable]:
    """All tables, in the order of a file."""
    yield StrategyTable("", _text(Strategy.__doc__), tuple(_fields(Strategy)))
    for name, field in Strategy.model_fields.items():
        if (model := _model(field.annotation)) is None:
            continue
        yield StrategyTable(name, _text(model.__doc__), tuple(_fields(model)))
        for inner, each in model.model_fields.items():
            for argument in get_args(each.annotation):
                if (costs := _model(argument)) is not None:
                    yield StrategyTable(f"{name}.{inner}.{_COIN}", _text(each.description), tuple(_fields(costs)), is_optional=True)


def example_strategy() -> str:
    """A strategy file with every field, its default and meaning."""
    lines = [_HEADER]
    for table in strategy_tables():
        if table.name:
            lines += ["", "", f"{'#' if table.is_optional else ''}[{table.name}]", *_comment(table.meaning)]
        for field in table.fields:
            note = f"{NO_DEFAULT}; {field.values}" if field.default is None else field.values
            lines += ["", *_comment(field.meaning), f"#{field.name} = {field.example}  # {note}"]
    return "\n".join(lines) + "\n"


def _fields(model: type[BaseModel]) -> Iterator[StrategyField]:
    schema, defaults = model.model_json_schema(), model().model_dump()
    for name, field in model.model_fields.items():
        if _model(field.annotation) is not None or any(map(_model, get_args(field.annotation))):
            continue  # a table
        default = None if defaults[name] is None else _toml(defaults[name])
        example = _toml(_EXAMPLES[name]) if default is None else default
        yield StrategyField(name, default, example, _values(schema["properties"][name]), _text(field.description))


def _values(schema: dict[str, Any]) -> str:
    """The values that a JSON schema allows, in words."""
    schema = next((each for each in schema.get("anyOf", []) if each["type"] != "null"), schema)
    if "enum" in schema:
        return ", ".join(map(_toml, schema["enum"]))
    if schema["type"] in ("boolean", "string"):
        return {"boolean": "true, false", "string": "module:name" if "pattern" in schema else "text"}[schema["type"]]
    kind = "whole numbers" if schema["type"] == "integer" else "numbers"
    bounds = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "up to"}
    return " ".join([kind, *(f"{word} {schema[key]:.15g}" for key, word in bounds.items() if key in schema)])


def _model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _toml(value: object) -> str:
    return json.dumps(value)


def _text(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)]
