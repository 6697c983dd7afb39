"""Coverage: what became of every window that a run asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import Account


@dataclass
class Counts:
    """Windows: each one asked for is in exactly one of the others. `missing` ones are of shards without a whole result."""

    asked: int = 0
    predicted: int = 0
    mostly_filled: int = 0
    too_few_before: int = 0
    no_candles: int = 0
    missing: int = 0

    @property
    def adds_up(self) -> bool:
        return self.asked == self.predicted + self.mostly_filled + self.too_few_before + self.no_candles + self.missing

    def add(self, other: "Counts | Account") -> None:
        for field in fields(other):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def document(self) -> dict[str, int]:
        return {
            "asked": self.asked,
            "predicted": self.predicted,
            "mostlyFilled": self.mostly_filled,
            "tooFewBefore": self.too_few_before,
            "noCandles": self.no_candles,
            "missing": self.missing,
        }


class Month(NamedTuple):
    """A month of one symbol, as `2019-05`."""

    symbol: str
    month: str


class Coverage:
    """Counts by month and symbol, and the shards that are missing."""

    def __init__(self) -> None:
        self.months: dict[Month, Counts] = {}
        self.missing: list[Shard] = []

    def add(self, shard: Shard, account: Account | None) -> None:
        """What became of a shard; None where it has no whole result."""
        counts = self.months.setdefault(month_of(shard), Counts())
        if account is None:
            self.missing.append(shard)
            counts.add(Counts(asked=shard.asked, missing=shard.asked))
        else:
            counts.add(account)

    @property
    def total(self) -> Counts:
        return _sum(self.months.values())

    def by_symbol(self) -> dict[str, Counts]:
        symbols = dict.fromkeys(month.symbol for month in self.months)
        return {name: _sum(counts for month, counts in self.months.items() if month.symbol == name) for name in symbols}

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "total": self.total.document(),
            "symbols": {symbol: counts.document() for symbol, counts in self.by_symbol().items()},
            "months": [{"symbol": month.symbol, "month": month.month, **counts.document()} for month, counts in self.months.items()],
            "missingShards": [str(shard) for shard in self.missing],
        }


def month_of(shard: Shard) -> Month:
    """The month of the shard's first day."""
    return Month(shard.symbol, f"{shard.day:%Y-%m}")


def _sum(many: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in many:
        total.add(counts)
    return total
