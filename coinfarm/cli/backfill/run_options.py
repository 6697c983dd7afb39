"""Options shared by the `coinfarm backfill` commands: the run, its queue and its dead-letter queue."""

import os
from typing import TYPE_CHECKING

import click

from coinfarm.cli.paths import ROOT
from coinfarm.cli.stack import named_stack, run_uri

if TYPE_CHECKING:
    from coinfarm.aws.sqs import Queue
    from coinfarm.backfill.run_manifest import Run, RunManifest

UNFINISHED = 3
"""The exit code if shards are missing."""
RUN = click.option(
    "--run",
    "root",
    type=ROOT,
    required=True,
    callback=run_uri,
    help="The folder or s3:// URI that backfill plan wrote; with coinfarm --stack also the run's name.",
)
QUEUE = click.option(
    "--queue",
    "queue_url",
    help="The queue's URL.  [default: the one that the run was submitted to, or that of coinfarm --stack, or $QUEUE_URL]",
)
DEAD_LETTER_QUEUE = click.option(
    "--dead-letter-queue",
    "dead_letter_url",
    help="The dead-letter queue's URL.  [default: as configured for the queue, or $DEAD_LETTER_QUEUE_URL]",
)


def open_run(root: str) -> "Run":
    from coinfarm.backfill.run_manifest import Run

    return Run.at(root)


def open_queue(run: "Run", queue_url: str | None) -> "Queue":
    """The queue of the run. Raises `ClickException` if there is none."""
    queue = find_queue(run, queue_url)
    if queue is None:
        raise click.ClickException("no queue: set --queue, $QUEUE_URL or coinfarm --stack NAME")
    return queue


def find_queue(run: "Run", queue_url: str | None) -> "Queue | None":
    """The queue at `queue_url`, or else the one of the submission, the stack or the environment."""
    manifest = run.manifest  # first, so that a missing run is reported rather than a missing queue
    url = queue_url or _submission_queue_url(run) or _stack_queue_url(manifest) or os.environ.get("QUEUE_URL")
    return _queue_at(url) if url else None


def find_dead_letter_queue(queue: "Queue | None", url: str | None) -> "Queue | None":
    """The dead-letter queue at `url`, or else the one configured for `queue` or in the environment."""
    if url is None and queue is not None and (configured := queue.dead_letter_queue()):
        return configured
    url = url or os.environ.get("DEAD_LETTER_QUEUE_URL")
    return _queue_at(url) if url else None


def _submission_queue_url(run: "Run") -> str | None:
    from coinfarm.backfill.submission import read_submission

    submission = read_submission(run)
    return None if submission is None else submission.queue_url


def _stack_queue_url(manifest: "RunManifest") -> str | None:
    from coinfarm.backfill.estimate import FLEET_TARGETS

    stack = named_stack()
    if stack is None:
        return None
    stack.check_uris(manifest.candles_uri, manifest.results_uri)
    return stack.queue_url(fleet=manifest.target in FLEET_TARGETS)


def _queue_at(url: str) -> "Queue":
    from coinfarm.aws.sqs import Queue  # imports boto3, which a local run does not need

    return Queue(url)
