"""What a demonstration came to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinfarm.demo.environment import Worker


@dataclass(frozen=True)
class Look:
    """How the run stood so many seconds after it was sent to the queue."""

    at_s: float
    done: int
    frames_done: int
    waiting: int
    in_flight: int


@dataclass(frozen=True)
class Share:
    """What one worker did of the run."""

    name: str
    shards: int
    turns: int
    busy_s: float


@dataclass(frozen=True)
class Outcome:
    """`status` is what `coinfarm backfill status --json` said last, `coverage` what `collect --json` did.

    `commands` are what was called, in order; `resources` the template's, logical name → type.
    """

    model_version: str
    status: dict[str, Any]
    coverage: dict[str, Any]
    looks: tuple[Look, ...]
    shares: tuple[Share, ...]
    commands: tuple[str, ...]
    resources: dict[str, str]
    predictions: Path
    predictions_rows: int

    @property
    def total(self) -> dict[str, int]:
        """Windows, and what became of them."""
        total: dict[str, int] = self.coverage["total"]
        return total

    @property
    def seconds(self) -> float:
        """From the sending to the last result, the start of the workers included."""
        return self.looks[-1].at_s

    @property
    def work_s(self) -> float:
        """The same without the start of the workers: from the last look at which nothing was done."""
        return self.seconds - max((look.at_s for look in self.looks if not look.done), default=0.0)

    @property
    def frames_per_s(self) -> float:
        return self.total["predicted"] / self.work_s

    @property
    def is_whole(self) -> bool:
        """Whether every window asked for is accounted for, none is missing, and each predicted one lies in the file once."""
        rest = sum(count for name, count in self.total.items() if name != "asked")
        rows = self.total["predicted"] + self.total["mostlyFilled"]
        return bool(self.total["asked"] == rest and not self.total["missing"] and self.predictions_rows == rows)


def share_of(worker: Worker) -> Share:
    """As its log tells."""
    sums: Counter[str] = Counter()
    for entry in _turns(worker):
        sums.update(turns=1, shards=int(str(entry["done"])))
        sums["ms"] += round(1000 * float(str(entry["seconds"])))
    return Share(worker.name, sums["shards"], sums["turns"], sums["ms"] / 1000)


def _turns(worker: Worker) -> Iterator[dict[str, object]]:
    return (entry for entry in worker.entries() if entry.get("message") == "batch processed")
