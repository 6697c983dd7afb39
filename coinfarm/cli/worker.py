"""`coinfarm worker`: process the messages of a queue on this machine."""

import os
import sys
from typing import Any

import click

from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import ROOT, ROOT_TO_WRITE
from coinfarm.cli.stack import named_stack


@click.command(epilog='Example: coinfarm worker --queue "$QUEUE_URL" --idle-exit 5')
@click.option("--queue", "queue_url", help="The URL of the queue.  [default: that of coinfarm --stack, or $QUEUE_URL]")
@click.option("--on", "target", type=click.Choice(["lambda", "gpu"]), help="Which queue of coinfarm --stack to process.  [default: lambda]")
@click.option(
    "--candles-root",
    type=ROOT,
    help="The folder or s3:// URI that messages may read from.  [default: of coinfarm --stack, or $CANDLES_ROOT]",
)
@click.option(
    "--results-root",
    type=ROOT_TO_WRITE,
    help="The folder or s3:// URI that messages may write to.  [default: of coinfarm --stack, or $RESULTS_ROOT]",
)
@MODEL
@click.option(
    "--idle-exit",
    "idle_exit_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Exit when the queue has been empty for this many seconds.  [default: never]",
)
@click.option(
    "--metrics-port", type=click.IntRange(1, 65535), help="The port on which Prometheus finds /metrics.  [default: $METRICS_PORT, or none]"
)
def worker(
    queue_url: str | None,
    target: Any,
    candles_root: str | None,
    results_root: str | None,
    model_uri: str | None,
    idle_exit_s: float | None,
    metrics_port: int | None,
) -> None:
    """Process a queue's messages on this machine.

    It runs until a signal, or an empty queue (--idle-exit), ends it. It does not start without a queue and the roots for candles and
    results: all messages would end in the dead-letter queue.
    POWERTOOLS_METRICS_DISABLED=false prints metrics for CloudWatch.

    Exit codes: 0 after SIGTERM, a spot interruption notice or an empty queue (--idle-exit); 130 after Ctrl-C; 1 if a setting is missing
    or wrong, the queue does not exist or denies access, the engine failed for every message in two batches in a row, or a thread is stuck
    or has died. Neither an invalid message nor unreachable storage stops it.
    """
    from coinfarm.backfill.estimate import FLEET_TARGETS

    stack = named_stack()
    if target and stack is None:
        raise click.UsageError("--on chooses between the queues of a stack: use coinfarm --stack NAME worker")
    given: dict[str, Any] = {
        "QUEUE_URL": queue_url or (stack and stack.queue_url(fleet=target in FLEET_TARGETS)),
        "CANDLES_ROOT": candles_root or (stack and stack.candles_uri),
        "RESULTS_ROOT": results_root or (stack and stack.results_uri),
        "MODEL_URI": model_uri,
        "IDLE_EXIT_S": idle_exit_s,
        "METRICS_PORT": metrics_port,
    }
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    if not os.environ.get("QUEUE_URL"):
        raise click.ClickException("no queue: set --queue, $QUEUE_URL or coinfarm --stack NAME")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from handler.worker import main

    sys.exit(main())
