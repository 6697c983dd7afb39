"""Send a run's shards to a queue: once, again where they are missing, and back from the dead letters."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from coinfarm.backfill.run_manifest import Run, RunManifest
from coinfarm.backfill.run_results import done_shards
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.documents import Document
from coinfarm.errors import NotFound
from coinfarm.serving.request import ShardRequest
from coinfarm.storage.read_ahead import read_ahead

if TYPE_CHECKING:
    from coinfarm.aws.sqs import Queue

KEY = "submission.json"
_MAX_BYTES = 1_000_000
_READ_AHEAD = 16

OnSent = Callable[[int, int], None]
"""Told how many messages were sent of how many."""


class Submission(Document):
    """How far a run was sent: of its shards, in their order, the first `sent` were (or were done before).

    `frames_done_before` are of shards that had results when it began: they cost this run nothing.
    """

    queue_url: str
    started_at: AwareDatetime
    sent: int = Field(ge=0)
    frames_done_before: int = Field(ge=0)


def read_submission(run: Run) -> Submission | None:
    """None where nothing was sent yet. Raises `DocumentError` for a damaged one."""
    try:
        blob = run.storage.read(KEY, _MAX_BYTES)
    except NotFound:
        return None
    return Submission.parse(blob.data, run.storage.uri(KEY))


def submit(run: Run, queue: "Queue", on_sent: OnSent = lambda *_: None) -> int:
    """Send every shard that was not sent and has no result; goes on where it was cut off. Returns how many it sent.

    How far it is is kept after every call of ten, so that no more than ten go twice, which is harmless.
    """
    shards, done = list(run.manifest.shards()), done_shards(run)
    before = read_submission(run)
    if before is None:
        frames_done = sum(shard.asked for shard in done)
        before = Submission(queue_url=queue.url, started_at=datetime.now(UTC), sent=0, frames_done_before=frames_done)
    places = [place for place in range(before.sent, len(shards)) if shards[place] not in done]

    def keep(sent: int) -> None:
        reached = len(shards) if sent == len(places) else places[sent]
        _write(run, before.model_copy(update={"sent": reached, "queue_url": queue.url}))
        on_sent(sent, len(places))

    queue.send((message(run.manifest, shards[place]) for place in places), keep)
    if not places:
        keep(0)
    return len(places)


def resend(run: Run, queue: "Queue", on_sent: OnSent = lambda *_: None, *, look_inside: bool = False) -> int:
    """Send every shard without a result, whether it was sent before or not. Returns how many.

    With `look_inside` also those whose result is damaged, or was made of other candles than there are now. Meant for when the queue is
    empty: a shard that still waits there would be sent twice, which costs a look at its result.
    """
    missing = unfit_shards(run) if look_inside else missing_shards(run)
    queue.send((message(run.manifest, shard) for shard in missing), lambda sent: on_sent(sent, len(missing)))
    before = read_submission(run)
    if before is not None:
        _write(run, before.model_copy(update={"sent": len(list(run.manifest.shards())), "queue_url": queue.url}))
    return len(missing)


def missing_shards(run: Run) -> Sequence[Shard]:
    """Those without a result, in their order."""
    done = done_shards(run)
    return [shard for shard in run.manifest.shards() if shard not in done]


def unfit_shards(run: Run) -> Sequence[Shard]:
    """Those that have no result, a damaged one, or one of other candles; every result is read, and its candles."""
    history, version = CandleStoreSnapshot(run.candles), run.manifest.model_version
    done = read_ahead(lambda shard: ShardJob(shard, version, history, run.results).is_done(), run.manifest.shards(), _READ_AHEAD)
    return [shard for shard, is_done in done if not is_done]


def message(manifest: RunManifest, shard: Shard) -> str:
    """The shard as a message of the queue."""
    request = ShardRequest(
        symbol=shard.symbol,
        interval=shard.interval,
        date=shard.day,
        days=shard.days,
        stride=shard.stride,
        modelVersion=manifest.model_version,
        candlesUri=manifest.candles_uri,
        resultsUri=manifest.results_uri,
    )
    # Workers of version 0.1 do not know the field: they can still process shards of one day.
    return request.model_dump_json(by_alias=True, exclude={"days"} if shard.days == 1 else None)


def _write(run: Run, submission: Submission) -> None:
    run.storage.write(KEY, submission.to_json(), content_type="application/json")
