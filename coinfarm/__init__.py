"""Predicts the next 30 candles from candlestick charts with a neural network, and tests whether trading on the predictions makes money.

>>> import coinfarm
>>> coinfarm.predict("examples/DEMOUSD-1m.parquet")

`predict`, `render`, `load_model` and `backtest` are described in docs/python.md. They are imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinfarm.api import Model, backtest, load_model, predict, render

__all__ = ["Model", "backtest", "load_model", "predict", "render"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("coinfarm.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
