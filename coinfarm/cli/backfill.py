"""`coinfarm backfill …`: predict years of history on this machine or with a fleet."""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.failures import Interrupted, on_interrupt
from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import FILE_OR_FOLDER_TO_WRITE, ROOT, ROOT_TO_WRITE, absolute_uri
from coinfarm.cli.progress import progress_bar, run_progress_bar
from coinfarm.cli.stack import named_stack, run_uri
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from coinfarm.aws.sqs import Queue
    from coinfarm.backfill.estimate import Speed
    from coinfarm.backfill.run_manifest import Run
    from coinfarm.backfill.status import Status

_DAY = click.DateTime(["%Y-%m-%d"])
_RUN = click.option(
    "--run",
    "root",
    type=ROOT,
    required=True,
    callback=run_uri,
    help="The folder or s3:// URI that backfill plan wrote; with coinfarm --stack also the run's name.",
)
_QUEUE = click.option(
    "--queue",
    "queue_url",
    help="The queue's URL.  [default: the one that the run was submitted to, or that of coinfarm --stack, or $QUEUE_URL]",
)
_DEAD = click.option(
    "--dead-letter-queue",
    "dead_letter_url",
    help="The dead-letter queue's URL.  [default: as configured for the queue, or $DEAD_LETTER_QUEUE_URL]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_FAILED, _UNFINISHED = 1, 3
_IDLE_LOOKS = 3
"""SQS counts with some seconds' delay, so that one look at an empty queue tells little."""


@click.group(
    epilog="Example: coinfarm backfill plan --symbol DEMOBTC --from 2026-01-01 --to 2026-01-15 --store build/store --run build/runs/demo"
)
def backfill() -> None:
    """Predict years of history, here or through a queue.

    A run consists of shards: one symbol and one UTC day each, or as many days as have 1440 candles. A shard's result is written as a whole,
    and its file name encodes model, symbol, interval and dates, so an interrupted run can continue, and processing a shard again writes the
    same file.
    """


@backfill.command(
    epilog="Example: coinfarm backfill plan --symbol DEMOBTC --from 2026-01-01 --to 2026-01-15 --store build/store --run build/runs/demo"
)
@click.option("--symbol", "symbols", multiple=True, required=True, help="A symbol of the store; may be given several times.")
@click.option("--interval", default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop", type=_DAY, required=True, help="The day after the last, UTC.")
@click.option("--store", type=ROOT, required=True, help="The candle store: a folder or an s3:// URI. With coinfarm --stack, its own.")
@click.option(
    "--run",
    "root",
    type=ROOT_TO_WRITE,
    required=True,
    callback=run_uri,
    help="A new folder or s3:// URI for the run; with coinfarm --stack also a name without a slash.",
)
@click.option(
    "--results",
    type=ROOT_TO_WRITE,
    help="The folder or s3:// URI of the results; shards with a result there are skipped.  [default: that of coinfarm --stack, or --run]",
)
@MODEL
@click.option("--stride", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Candles between two predictions.")
@click.option(
    "--on",
    "way",
    type=click.Choice(["lambda", "gpu", "gpu-spot"]),
    default="lambda",
    show_default=True,
    help="What processes the queue; --budget and backfill status use its cost.",
)
@click.option("--budget", type=click.FloatRange(min=0), help="Refuse to plan a run that costs more than this, in US dollars.")
@click.option(
    "--frames-per-s", type=click.FloatRange(min=0, min_open=True), help="The speed of this machine.  [default: measured for two seconds]"
)
@click.option(
    "--lambda-functions", type=click.IntRange(min=1), default=10, show_default=True, help="Lambda functions that run at the same time."
)
@click.option("--lambda-memory-mb", type=click.IntRange(128, 10_240), default=3_008, show_default=True, help="Memory of a function.")
@click.option("--instances", type=click.IntRange(min=1), default=30, show_default=True, help="Instances in the GPU fleet.")
@click.option(
    "--instance-type",
    type=click.Choice(["g4dn.xlarge", "g6.xlarge"]),
    default="g4dn.xlarge",
    show_default=True,
    help="Instance type of the GPU fleet.",
)
@click.option(
    "--gpu-frames-per-s",
    type=click.FloatRange(min=0, min_open=True),
    help="The measured speed of one such instance.  [default: an estimate]",
)
@_JSON
def plan(
    symbols: tuple[str, ...],
    interval: str,
    first: datetime,
    stop: datetime,
    store: str,
    root: str,
    results: str | None,
    model_uri: str | None,
    stride: int,
    way: Any,
    budget: float | None,
    frames_per_s: float | None,
    lambda_functions: int,
    lambda_memory_mb: int,
    instances: int,
    instance_type: str,
    gpu_frames_per_s: float | None,
    as_json: bool,
) -> None:
    """Estimate the time and cost of a run, and write its plan.

    Nothing is predicted or spent yet. The plan does not change afterwards; it contains the model version that is in service now.
    """
    from coinfarm.backfill.estimate import Fleet
    from coinfarm.backfill.plan import BackfillSpec, plan_run
    from coinfarm.backfill.run_manifest import Run
    from coinfarm.cli.backfill_tables import quote_table
    from coinfarm.reports.formatting import dollar_text
    from coinfarm.storage import open_storage

    run = Run.at(root)
    model_uri = model_uri or os.environ.get("MODEL_URI") or None
    version, speed = _model(model_uri, frames_per_s)
    spec = BackfillSpec(
        symbols=symbols,
        interval=interval,
        first=first.date(),
        stop=stop.date(),
        stride=stride,
        model_uri=absolute_uri(model_uri),
        model_version=version,
        candles=open_storage(store),
        results=open_storage(results) if results else run.storage,
    )
    manifest = plan_run(spec, speed, Fleet(lambda_functions, lambda_memory_mb, instances, instance_type, gpu_frames_per_s), way)
    if as_json:
        click.echo(manifest.to_json().decode(), nl=False)
    else:
        print_tables(quote_table(manifest))
    usd = manifest.quote.way(way).usd
    if budget is not None and (usd is None or usd > budget):
        costs = "unknown" if usd is None else dollar_text(usd)
        raise click.ClickException(f"nothing was planned: on {way} the price is {costs}, and the budget is {dollar_text(budget)}")
    kept = run.write(manifest)
    click.echo(f"{'Planned' if kept else 'Already planned'}: {run.storage.uri()}", err=True)


@backfill.command("run", epilog="Example: coinfarm backfill run --run build/runs/demo")
@_RUN
@click.option("--processes", type=click.IntRange(min=1), help="Processes, which share the cores.  [default: one per core]")
@_JSON
def run_command(root: str, processes: int | None, as_json: bool) -> None:
    """Process a run on this machine.

    To continue an interrupted run, use the same command again: finished shards are kept. The exit code is 1 if a shard failed, and 130
    after Ctrl-C, which waits for the shards in progress.
    """
    from coinfarm.backfill.local_run import cores_here, run_locally
    from coinfarm.backfill.run_manifest import Run
    from coinfarm.cli.backfill_tables import run_summary_document, run_summary_lines

    again = f"Finished shards are kept. Go on with the same command: coinfarm backfill run --run {root}"
    shards = list(Run.at(root).manifest.shards())
    started = time.perf_counter()
    with on_interrupt(again), run_progress_bar(sum(shard.asked for shard in shards)) as show:
        tally = run_locally(root, shards, min(processes or cores_here(), len(shards)), show)
    seconds = time.perf_counter() - started
    if as_json:
        click.echo(json.dumps(run_summary_document(tally, seconds)))
    else:
        for line in run_summary_lines(tally, seconds):
            click.echo(line)
    if tally.stopped:
        raise Interrupted(again)
    sys.exit(_FAILED if tally.failed else 0)


@backfill.command(epilog='Example: coinfarm backfill submit --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@_RUN
@_QUEUE
def submit(root: str, queue_url: str | None) -> None:
    """Send a run's shards to a queue, for Lambda or for workers.

    If it is interrupted, the same command sends the rest.
    """
    from coinfarm.backfill.submission import submit as send

    run = _run(root)
    with on_interrupt("What was sent is noted; the same command sends the rest."), progress_bar("sending") as show:
        sent = send(run, _open_queue(run, queue_url), show)
    click.echo(f"{sent:,} shards sent; follow them with: coinfarm backfill status --watch --run {root}")


@backfill.command(epilog="Example: coinfarm backfill status --run build/runs/demo")
@_RUN
@_QUEUE
@_DEAD
@click.option("--watch", is_flag=True, help="Repeat until all shards are done.")
@click.option(
    "--every-s", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds between two repetitions, with --watch."
)
@_JSON
def status(root: str, queue_url: str | None, dead_letter_url: str | None, watch: bool, every_s: float, as_json: bool) -> None:
    """Show the progress of a run.

    It counts results and messages in the queue. --watch with --json prints one line of JSON each time.

    The exit code is 0 if all shards are done, and 3 if not.
    """
    from coinfarm.backfill.status import StatusMonitor
    from coinfarm.cli.backfill_tables import status_document, status_table

    run = _run(root)
    queue = _known_queue(run, queue_url)
    looks = StatusMonitor(run, queue, _dead_letters(queue, dead_letter_url))

    def show(found: "Status") -> "Table":
        return status_table(found, run.storage.uri())

    is_live = watch and not as_json and sys.stdout.isatty()
    with _live() if is_live else nullcontext() as live:

        def look() -> "Status":
            found = looks.look()
            if as_json:
                click.echo(json.dumps(status_document(found), indent=None if watch else 2))
            if live is not None:
                live.update(show(found), refresh=True)
            return found

        found = _watched(look, every_s) if watch else look()
    if not as_json and not is_live:
        print_tables(show(found))
    sys.exit(0 if found.is_complete else _UNFINISHED)


@backfill.command(epilog='Example: coinfarm backfill resume --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@_RUN
@_QUEUE
@click.option(
    "--check", is_flag=True, help="Read all results and candles, and also send again shards that are damaged or whose candles have changed."
)
@click.option("--force", is_flag=True, help="Send them although the queue has messages. A shard that is sent twice is predicted once.")
def resume(root: str, queue_url: str | None, check: bool, force: bool) -> None:
    """Send again the shards that have no result.

    While the queue has messages, waiting or in flight, only shards that were never sent are sent: SQS does not say which shards the
    messages are. --check also finds days whose candles have changed since they were predicted.
    """
    from coinfarm.backfill.submission import resend
    from coinfarm.backfill.submission import submit as send

    run = _run(root)
    queue = _open_queue(run, queue_url)
    depth = queue.depth()
    with progress_bar("sending") as show:
        sent = send(run, queue, show) if depth.total and not force else resend(run, queue, show, look_inside=check)
    click.echo(f"{sent:,} shards sent")
    if depth.total and not force:
        click.echo(f"{depth.total:,} messages are in the queue: run this again when it is empty, or with --force", err=True)


@backfill.command(epilog='Example: coinfarm backfill redrive --run "$RESULTS/runs/demo" --queue "$QUEUE_URL"')
@_RUN
@_QUEUE
@_DEAD
def redrive(root: str, queue_url: str | None, dead_letter_url: str | None) -> None:
    """Move all dead-letter messages back to the queue."""
    run = _run(root)
    queue = _open_queue(run, queue_url)
    dead = _dead_letters(queue, dead_letter_url)
    if dead is None:
        raise click.ClickException(f"{queue.url} has no dead-letter queue: name one with --dead-letter-queue")
    with progress_bar("moving", dead.depth().total) as show:
        moved = dead.move_to(queue, show)
    click.echo(f"{moved:,} messages moved back")


@backfill.command(epilog="Example: coinfarm backfill collect --run build/runs/demo -o build/predictions.parquet")
@_RUN
@click.option(
    "-o",
    "--output",
    type=FILE_OR_FOLDER_TO_WRITE,
    required=True,
    help="A .parquet file, or a new folder for one file per symbol and month.",
)
@_JSON
def collect(root: str, output: Path, as_json: bool) -> None:
    """Join a run's results, and account for every window.

    The exit code is 3 if shards are missing; the others are written nevertheless.
    """
    from coinfarm.backfill.collect import collect as put_together
    from coinfarm.cli.backfill_tables import coverage_table

    if output.suffix not in ("", ".parquet") and not output.is_dir():
        raise click.UsageError(f"-o {output}: predictions are written as Parquet. Name a .parquet file, or a folder without an ending")

    run = _run(root)
    with progress_bar("shards", len(list(run.manifest.shards()))) as show:
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            show(done)

        coverage = put_together(run, output, count)
    if as_json:
        click.echo(json.dumps(coverage.document(), indent=2))
    else:
        print_tables(coverage_table(coverage))
        click.echo(output)
    sys.exit(_UNFINISHED if coverage.missing else 0)


def _model(model_uri: str | None, frames_per_s: float | None) -> "tuple[str, Speed]":
    """The version in service, and how fast it is here; where one is told how fast, the model is not loaded."""
    from coinfarm.backfill.estimate import Speed
    from coinfarm.backfill.local_run import cores_here
    from coinfarm.backfill.plan import speed_here
    from coinfarm.cli.options import open_predictor
    from coinfarm.models.store import open_model_source
    from coinfarm.serving.settings import reference_model_uri

    if frames_per_s is None:
        predictor = open_predictor(model_uri)
        return predictor.model.version, speed_here(predictor)
    current = open_model_source(model_uri or reference_model_uri()).current_if_changed(None)
    assert current is not None  # nothing was known before
    return current.version, Speed(frames_per_s, cores_here(), "as told, on this machine")


def _run(root: str) -> "Run":
    from coinfarm.backfill.run_manifest import Run

    return Run.at(root)


def _known_queue(run: "Run", queue_url: str | None) -> "Queue | None":
    from coinfarm.backfill.submission import read_submission

    url = queue_url
    if url is None and (submission := read_submission(run)):
        url = submission.queue_url
    if url is None and (stack := named_stack()):
        from coinfarm.backfill.estimate import FLEET_TARGETS

        stack.check_uris(run.manifest.candles_uri, run.manifest.results_uri)
        url = stack.queue_url(fleet=run.manifest.way in FLEET_TARGETS)
    url = url or os.environ.get("QUEUE_URL")
    if not url:
        return None
    from coinfarm.aws.sqs import Queue  # boto3 costs what a run on this machine need not pay

    return Queue(url)


def _open_queue(run: "Run", queue_url: str | None) -> "Queue":
    run.manifest  # noqa: B018 - a run that is not there is the better complaint
    queue = _known_queue(run, queue_url)
    if queue is None:
        raise click.ClickException("which queue? Name it with --queue, or in QUEUE_URL, or its stack with coinfarm --stack")
    return queue


def _dead_letters(queue: "Queue | None", url: str | None) -> "Queue | None":
    if url is None and queue is not None and (own := queue.dead_letters()):
        return own
    url = url or os.environ.get("DEAD_LETTER_QUEUE_URL")
    if not url:
        return None
    from coinfarm.aws.sqs import Queue

    return Queue(url)


def _live() -> "Live":
    """A place on the terminal where each look takes the place of the one before."""
    from rich.console import Console
    from rich.live import Live

    return Live(console=Console(), auto_refresh=False)


def _watched(look: Callable[[], "Status"], every_s: float) -> "Status":
    """Look until all is done, or nothing is on its way any more."""
    idle = 0
    while True:
        found = look()
        idle = idle + 1 if found.is_idle else 0
        if found.is_complete or idle >= _IDLE_LOOKS:
            return found
        time.sleep(every_s)
