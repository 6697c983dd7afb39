"""The result of a demo run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinfarm.demo.environment import Worker


@dataclass(frozen=True)
class StatusSample:
    """The status of the run `at_s` seconds after it was submitted."""

    at_s: float
    done: int
    windows_done: int
    waiting: int
    in_flight: int


@dataclass(frozen=True)
class WorkerStatistics:
    """The shards and batches that one worker processed, and the seconds it spent in batches."""

    name: str
    shards: int
    batches: int
    busy_s: float


@dataclass(frozen=True)
class DemoResult:
    """`status` is the last output of `coinfarm backfill status --json`, `coverage` the output of `collect --json`.

    `commands` are the commands that were run, in order; `resources` the template's resources, logical name → type.
    """

    model_version: str
    status: dict[str, Any]
    coverage: dict[str, Any]
    samples: tuple[StatusSample, ...]
    workers: tuple[WorkerStatistics, ...]
    commands: tuple[str, ...]
    resources: dict[str, str]
    predictions: Path
    predictions_rows: int

    @property
    def total(self) -> dict[str, int]:
        """The number of windows by outcome; `asked` is their sum."""
        total: dict[str, int] = self.coverage["total"]
        return total

    @property
    def seconds(self) -> float:
        """From the submission to the last result, including the start of the workers."""
        return self.samples[-1].at_s

    @property
    def work_s(self) -> float:
        """`seconds` without the start of the workers: from the last sample in which nothing was done."""
        return self.seconds - max((sample.at_s for sample in self.samples if not sample.done), default=0.0)

    @property
    def windows_per_s(self) -> float:
        return self.total["predicted"] / self.work_s

    @property
    def is_complete(self) -> bool:
        """Whether every requested window has an outcome, none is missing, and the file has one row for each that was predicted."""
        outcomes = sum(count for name, count in self.total.items() if name != "asked")
        rows = self.total["predicted"] + self.total["mostlyFilled"]
        return bool(self.total["asked"] == outcomes and not self.total["missing"] and self.predictions_rows == rows)


def worker_statistics(worker: Worker) -> WorkerStatistics:
    """Read from the log of the worker."""
    batches = list(batch_entries(worker.log))
    return WorkerStatistics(
        worker.name,
        shards=sum(entry["done"] for entry in batches),
        batches=len(batches),
        busy_s=sum(entry["seconds"] for entry in batches),
    )


def batch_entries(log: Path) -> Iterator[dict[str, Any]]:
    """The entries of batches in a worker's log."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"batch processed"' in line and line.endswith("}"):  # a kill may truncate a line
            yield json.loads(line)
