"""The tables of docs/strategy.md, as the models of a strategy have them."""

from coinfarm.backtesting.strategy_fields import StrategyTable, strategy_tables


def field_tables() -> dict[str, str]:
    """The Markdown table of each table of a strategy file."""
    return {table.name: "\n".join(_rows(table)) + "\n" for table in strategy_tables()}


def _rows(table: StrategyTable) -> list[str]:
    rows = ["| field | default | values | meaning |", "| --- | --- | --- | --- |"]
    for field in table.fields:
        default = "–" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{field.name}` | {default} | {field.values} | {field.meaning} |")
    return rows
