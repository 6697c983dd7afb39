"""Send the shards of a run to a queue, and send again those without a result."""

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
"""Called with the number of messages sent so far and in total."""


class Submission(Document):
    """The progress of sending a run: the first `sent` of its shards, in order, were sent or done before.

    `windows_done_before` is the number of windows in shards that had results when it started, which cost this run nothing.
    """

    queue_url: str
    started_at: AwareDatetime
    sent: int = Field(ge=0)
    windows_done_before: int = Field(ge=0, alias="framesDoneBefore")


def read_submission(run: Run) -> Submission | None:
    """The stored submission; None if nothing was sent yet. Raises `DocumentError` if it is damaged."""
    try:
        blob = run.storage.read(KEY, _MAX_BYTES)
    except NotFound:
        return None
    return Submission.parse(blob.data, run.storage.uri(KEY))


def submit(run: Run, queue: "Queue", on_sent: OnSent = lambda *_: None) -> int:
    """Send every shard that was not sent and has no result, and return their number. It continues an interrupted submission.

    Progress is stored after every call of ten messages, so at most ten are sent twice, which is harmless.
    """
    shards, done = list(run.manifest.shards()), done_shards(run)
    submission = read_submission(run)
    if submission is None:
        windows_done = sum(shard.window_count for shard in done)
        submission = Submission(queue_url=queue.url, started_at=datetime.now(UTC), sent=0, windows_done_before=windows_done)
    indices = [index for index in range(submission.sent, len(shards)) if shards[index] not in done]

    def store_progress(sent: int) -> None:
        next_index = len(shards) if sent == len(indices) else indices[sent]
        _write(run, submission.model_copy(update={"sent": next_index, "queue_url": queue.url}))
        on_sent(sent, len(indices))

    queue.send((message(run.manifest, shards[index]) for index in indices), store_progress)
    if not indices:
        store_progress(0)
    return len(indices)


def resend(run: Run, queue: "Queue", on_sent: OnSent = lambda *_: None, *, check_results: bool = False) -> int:
    """Send every shard without a result, whether it was sent before or not, and return their number.

    With `check_results`, also send those whose result is damaged or was made from other candles than those stored now. Call it when the
    queue is empty: a shard that still waits there is sent twice, which costs a read of its result.
    """
    missing = outdated_shards(run) if check_results else missing_shards(run)
    queue.send((message(run.manifest, shard) for shard in missing), lambda sent: on_sent(sent, len(missing)))
    submission = read_submission(run)
    if submission is not None:
        _write(run, submission.model_copy(update={"sent": len(list(run.manifest.shards())), "queue_url": queue.url}))
    return len(missing)


def missing_shards(run: Run) -> Sequence[Shard]:
    """The shards without a result, in order."""
    done = done_shards(run)
    return [shard for shard in run.manifest.shards() if shard not in done]


def outdated_shards(run: Run) -> Sequence[Shard]:
    """The shards whose result is missing, damaged or from other candles. All results and their candles are read."""
    store, version = CandleStoreSnapshot(run.candles), run.manifest.model_version
    done = read_ahead(lambda shard: ShardJob(shard, version, store, run.results).is_done(), run.manifest.shards(), _READ_AHEAD)
    return [shard for shard, is_done in done if not is_done]


def message(manifest: RunManifest, shard: Shard) -> str:
    """The queue message of a shard."""
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
