"""CloudWatch's metric math, at one point in time."""

from typing import Any

FUNCTIONS: dict[str, Any] = {
    "FILL": lambda value, otherwise: otherwise if value is None else value,
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
    "PERIOD": lambda _: 3600,
}


def evaluate(expression: str, **metrics: float | None) -> Any:
    """The value of an expression; None is a metric without data. The period is one hour."""
    return eval(expression, FUNCTIONS.copy(), metrics)


def returned_expression(queries: list[dict[str, Any]]) -> str:
    """The expression of the only query that returns data."""
    (expression,) = (query["Expression"] for query in queries if query["ReturnData"])
    return str(expression)
