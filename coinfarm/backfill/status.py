"""How a run stands, told from its results and its queue."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coinfarm.backfill.estimate import ComputeTargetName
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.run_results import done_shards, failures
from coinfarm.backfill.submission import read_submission
from coinfarm.documents import Document

if TYPE_CHECKING:
    from coinfarm.aws.sqs import Queue

_REASONS_SHOWN = 5
_RATE_OVER_S = 120


class ShardFailure(Document):
    """A shard without a result, and why its last attempt failed."""

    shard: str
    reason: str


class Status(Document):
    """Of the `shards`, `done` have a result, `unsent` were never sent; `waiting`, `in_flight` and `dead_lettered` are what the queues say,
    about, and None where no queue is known. `failed` of those without a result left a note of why, the first of which are `failures`.

    `frames` are all that are asked for, `frames_done` those of shards that are done. `usd` is what these cost by the quote for `way`, less
    what was done before. `frames_per_s` and `seconds_left` are None where nothing is known of the pace.
    """

    shards: int
    done: int
    unsent: int | None
    waiting: int | None
    in_flight: int | None
    dead_lettered: int | None
    failed: int
    failures: tuple[ShardFailure, ...]
    frames: int
    frames_done: int
    frames_per_s: float | None
    seconds_left: float | None
    usd: float
    usd_quoted: float | None
    way: ComputeTargetName

    @property
    def is_complete(self) -> bool:
        return self.done == self.shards

    @property
    def is_idle(self) -> bool:
        """Whether a queue is known in which nothing waits or is in flight, so that nothing more will be done."""
        return not self.is_complete and self.waiting == 0 and self.in_flight == 0

    @property
    def lost(self) -> int:
        """Shards that were sent, and are neither done nor in a queue: `coinfarm backfill resume` sends them again."""
        if self.waiting is None or self.in_flight is None or self.unsent is None:
            return 0
        elsewhere = self.waiting + self.in_flight + (self.dead_lettered or 0) + self.unsent
        return max(0, self.shards - self.done - elsewhere)


class StatusMonitor:
    """Looks at a run, again and again; the pace is that of the last two minutes, or, at the first look, since the run was submitted."""

    def __init__(self, run: Run, queue: "Queue | None", dead_letters: "Queue | None") -> None:
        self._run = run
        self._queue = queue
        self._dead_letters = dead_letters
        self._looks: deque[_Look] = deque()

    def status(self) -> Status:
        manifest, submission = self._run.manifest, read_submission(self._run)
        shards = list(manifest.shards())
        done = done_shards(self._run)
        frames, frames_done = sum(shard.asked for shard in shards), sum(shard.asked for shard in done)
        failed, first = failures(self._run, done, _REASONS_SHOWN)
        depth = self._queue.depth() if self._queue else None
        dead = self._dead_letters.depth() if self._dead_letters else None
        before = submission.frames_done_before if submission else 0
        if submission and not self._looks:
            self._looks.append(_Look(submission.started_at, before))
        frames_per_s = self._pace(_Look(datetime.now(UTC), frames_done)) if frames_done < frames else None
        quoted = manifest.quote.way(manifest.way).usd
        return Status(
            shards=len(shards),
            done=len(done),
            unsent=len(set(shards[submission.sent :]) - done) if submission else None,
            waiting=None if depth is None else depth.visible + depth.delayed,
            in_flight=None if depth is None else depth.in_flight,
            dead_lettered=None if dead is None else dead.total,
            failed=failed,
            failures=tuple(ShardFailure(shard=str(failure.shard), reason=failure.reason) for failure in first),
            frames=frames,
            frames_done=frames_done,
            frames_per_s=frames_per_s,
            seconds_left=(frames - frames_done) / frames_per_s if frames_per_s else None,
            usd=(quoted or 0.0) * (frames_done - before) / frames if submission and frames else 0.0,
            usd_quoted=quoted,
            way=manifest.way,
        )

    def _pace(self, look: "_Look") -> float | None:
        self._looks.append(look)
        while len(self._looks) > 2 and (look.at - self._looks[1].at).total_seconds() > _RATE_OVER_S:
            self._looks.popleft()
        first = self._looks[0]
        seconds = (look.at - first.at).total_seconds()
        return (look.frames_done - first.frames_done) / seconds if seconds > 0 and look.frames_done > first.frames_done else None


@dataclass(frozen=True)
class _Look:
    at: datetime
    frames_done: int
