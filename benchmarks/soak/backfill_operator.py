"""Operate a run: redrive valid dead letters, send lost shards again, and keep killing its workers."""

import time
from collections.abc import Callable

from benchmarks.soak.backfill_result import INVALID_MESSAGES
from benchmarks.soak.killed_workers import KilledWorkers
from coinfarm.aws.sqs import Queue
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.status import IDLE_POLLS, Status, StatusMonitor

_STATUS_EVERY_S, _KILL_EVERY_S = 2.0, 0.1
_TIMEOUT_S = 1_200

OnProgress = Callable[[int, int], None]
Command = Callable[..., None]
"""Runs a `coinfarm` command."""


class BackfillOperator:
    """`redrives`, `valid_dead_letters` and `lost` count its interventions."""

    def __init__(
        self, command: Command, run: Run, queue: Queue, dead_letters: Queue, workers: KilledWorkers, on_progress: OnProgress
    ) -> None:
        self._command = command
        self._run = run
        self._queue = queue
        self._monitor = StatusMonitor(run, queue, dead_letters)
        self._workers = workers
        self._on_progress = on_progress
        self.redrives = self.valid_dead_letters = self.lost = 0
        self._idle_polls = 0

    def wait_until_done(self, started_s: float) -> float:
        """Wait until every shard has a result, or the timeout. Returns the seconds since `started_s` of `time.monotonic`."""
        while True:
            status = self._monitor.status()
            self._on_progress(status.done, status.shards)
            seconds = time.monotonic() - started_s
            if status.is_complete or seconds > _TIMEOUT_S:
                return seconds
            self._idle_polls = self._idle_polls + 1 if status.is_idle else 0
            if self._idle_polls >= IDLE_POLLS:
                self._intervene(status)
            self._kill_workers()

    def wait_until_empty(self, started_s: float) -> int:
        """Wait until the queue is empty, without killing workers. Returns the number of messages left at the timeout."""
        self._workers.max_kills = 0
        while (left := self._queue.depth().total) and time.monotonic() - started_s < _TIMEOUT_S:
            self._kill_workers()
        return left

    def _kill_workers(self) -> None:
        until_s = time.monotonic() + _STATUS_EVERY_S
        while time.monotonic() < until_s:
            self._workers.kill_and_restart()
            time.sleep(_KILL_EVERY_S)

    def _intervene(self, status: Status) -> None:
        self._idle_polls = 0
        valid = max(0, (status.dead_lettered or 0) - len(INVALID_MESSAGES))
        if valid:
            self.valid_dead_letters += valid
            self.redrives += 1
            self._command("backfill", "redrive", "--run", self._run.storage.uri())
        else:
            self.lost += status.shards - status.done
            self._command("backfill", "resume", "--run", self._run.storage.uri())
