"""The outcome of every window that a run requested."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import ShardCounts


@dataclass
class WindowCounts:
    """The number of windows by outcome. `requested` is their sum; `missing` windows are in shards without a complete result."""

    requested: int = 0
    predicted: int = 0
    mostly_filled: int = 0
    too_few_before: int = 0
    no_candles: int = 0
    missing: int = 0

    @property
    def is_consistent(self) -> bool:
        return self.requested == self.predicted + self.mostly_filled + self.too_few_before + self.no_candles + self.missing

    def add(self, other: "WindowCounts | ShardCounts") -> None:
        for field in fields(other):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def document(self) -> dict[str, int]:
        return {
            "asked": self.requested,
            "predicted": self.predicted,
            "mostlyFilled": self.mostly_filled,
            "tooFewBefore": self.too_few_before,
            "noCandles": self.no_candles,
            "missing": self.missing,
        }


WINDOW_COUNT_LABELS = {
    "asked": "requested",
    "predicted": "predicted",
    "mostlyFilled": "mostly filled",
    "tooFewBefore": "too few before",
    "noCandles": "no candles",
    "missing": "missing",
}
"""What tables call the counts of `WindowCounts.document`."""


class SymbolMonth(NamedTuple):
    """A month of one symbol, such as `2019-05`."""

    symbol: str
    month: str


class WindowOutcomes:
    """Counts by month and symbol, and the missing shards."""

    def __init__(self) -> None:
        self.months: dict[SymbolMonth, WindowCounts] = {}
        self.missing: list[Shard] = []

    def add(self, shard: Shard, counts: ShardCounts | None) -> None:
        """Add the counts of a shard; None if it has no complete result."""
        month = self.months.setdefault(month_of(shard), WindowCounts())
        if counts is None:
            self.missing.append(shard)
            month.add(WindowCounts(requested=shard.window_count, missing=shard.window_count))
        else:
            month.add(counts)

    @property
    def total(self) -> WindowCounts:
        return _sum(self.months.values())

    def by_symbol(self) -> dict[str, WindowCounts]:
        symbols = dict.fromkeys(month.symbol for month in self.months)
        return {name: _sum(counts for month, counts in self.months.items() if month.symbol == name) for name in symbols}

    def document(self) -> dict[str, Any]:
        """The outcomes as JSON."""
        return {
            "total": self.total.document(),
            "symbols": {symbol: counts.document() for symbol, counts in self.by_symbol().items()},
            "months": [{"symbol": month.symbol, "month": month.month, **counts.document()} for month, counts in self.months.items()],
            "missingShards": [str(shard) for shard in self.missing],
        }


def month_of(shard: Shard) -> SymbolMonth:
    """The month of the shard's first day."""
    return SymbolMonth(shard.symbol, f"{shard.day:%Y-%m}")


def _sum(parts: Iterable[WindowCounts]) -> WindowCounts:
    total = WindowCounts()
    for counts in parts:
        total.add(counts)
    return total
