"""The status of a run, from its results and its queue."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import Field

from coinfarm.backfill.estimate import ComputeTargetName
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.run_results import ShardFailure, done_shards, failures
from coinfarm.backfill.submission import read_submission
from coinfarm.documents import Document

if TYPE_CHECKING:
    from coinfarm.aws.sqs import Queue

_REASONS_SHOWN = 5
_SPEED_WINDOW_S = 120
IDLE_POLLS = 3
"""SQS counts lag by some seconds, so a queue counts as empty only after several polls."""


class Status(Document):
    """Of the `shards`, `done` have a result and `unsent` were never sent. `waiting`, `in_flight` and `dead_lettered` are approximate counts
    of the queues; None if there is no queue. `failed` shards without a result have a failure note; `failures` are the first of them.

    `windows` is the number of requested windows, `windows_done` that of the shards done. `usd` is the estimated cost of these on `target`,
    without those done before the run. `windows_per_s` and `seconds_left` are None if the speed is unknown.
    """

    shards: int
    done: int
    unsent: int | None
    waiting: int | None
    in_flight: int | None
    dead_lettered: int | None
    failed: int
    failures: tuple[ShardFailure, ...]
    windows: int = Field(alias="frames")
    windows_done: int = Field(alias="framesDone")
    windows_per_s: float | None = Field(alias="framesPerS")
    seconds_left: float | None
    usd: float
    usd_estimated: float | None = Field(alias="usdQuoted")
    target: ComputeTargetName = Field(alias="way")

    @property
    def is_complete(self) -> bool:
        return self.done == self.shards

    @property
    def is_idle(self) -> bool:
        """Whether there is a queue without messages waiting or in flight, although shards are missing."""
        return not self.is_complete and self.waiting == 0 and self.in_flight == 0

    @property
    def lost(self) -> int:
        """The number of shards that were sent, but are neither done nor in a queue: `coinfarm backfill resume` sends them again."""
        if self.waiting is None or self.in_flight is None or self.unsent is None:
            return 0
        elsewhere = self.waiting + self.in_flight + (self.dead_lettered or 0) + self.unsent
        return max(0, self.shards - self.done - elsewhere)


class StatusMonitor:
    """Reads the status of a run repeatedly. The speed is that of the last two minutes, or since the submission at first."""

    def __init__(self, run: Run, queue: "Queue | None", dead_letter_queue: "Queue | None") -> None:
        self._run = run
        self._queue = queue
        self._dead_letter_queue = dead_letter_queue
        self._samples: deque[_Sample] = deque()

    def status(self) -> Status:
        manifest, submission = self._run.manifest, read_submission(self._run)
        shards = list(manifest.shards())
        done = done_shards(self._run)
        windows, windows_done = sum(shard.window_count for shard in shards), sum(shard.window_count for shard in done)
        failed, first = failures(self._run, done, _REASONS_SHOWN)
        depth = self._queue.depth() if self._queue else None
        dead = self._dead_letter_queue.depth() if self._dead_letter_queue else None
        before = submission.windows_done_before if submission else 0
        if submission and not self._samples:
            self._samples.append(_Sample(submission.started_at, before))
        windows_per_s = self._speed(_Sample(datetime.now(UTC), windows_done)) if windows_done < windows else None
        estimated_usd = manifest.estimate.target(manifest.target).usd
        return Status(
            shards=len(shards),
            done=len(done),
            unsent=len(set(shards[submission.sent :]) - done) if submission else None,
            waiting=None if depth is None else depth.visible + depth.delayed,
            in_flight=None if depth is None else depth.in_flight,
            dead_lettered=None if dead is None else dead.total,
            failed=failed,
            failures=tuple(first),
            windows=windows,
            windows_done=windows_done,
            windows_per_s=windows_per_s,
            seconds_left=(windows - windows_done) / windows_per_s if windows_per_s else None,
            usd=(estimated_usd or 0.0) * (windows_done - before) / windows if submission and windows else 0.0,
            usd_estimated=estimated_usd,
            target=manifest.target,
        )

    def _speed(self, sample: "_Sample") -> float | None:
        self._samples.append(sample)
        while len(self._samples) > 2 and (sample.at - self._samples[1].at).total_seconds() > _SPEED_WINDOW_S:
            self._samples.popleft()
        first = self._samples[0]
        seconds = (sample.at - first.at).total_seconds()
        return (sample.windows_done - first.windows_done) / seconds if seconds > 0 and sample.windows_done > first.windows_done else None


@dataclass(frozen=True)
class _Sample:
    at: datetime
    windows_done: int
