"""Which candles a pipeline run is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

OnDays = Callable[[int, int], None]
"""Called with the number of days stored so far, and of all days (of one file or interval, if there are several)."""


@dataclass(frozen=True)
class CandleSelection:
    """Coins in the candle store under `folder`, and the days `[first_day, stop_day)` on which their windows end, every `stride`-th of them.

    Everything that is computed from these candles is stored in `folder` too; other candles have another folder. `planted_bps` is the edge
    of synthetic candles that follow the predictions.
    """

    folder: Path
    symbols: tuple[str, ...]
    interval: str
    first_day: date
    stop_day: date
    synthetic: bool
    stride: int = 1
    planted_bps: float | None = None

    @property
    def candles_root(self) -> str:
        return candles_root(self.folder)


def candles_root(folder: Path) -> str:
    """The candle store of a selection."""
    return str(folder / "history")
