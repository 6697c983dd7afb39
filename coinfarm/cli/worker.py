"""`coinfarm worker`: the queue's messages, done here."""

import os
import sys
from typing import Any

import click

from coinfarm.cli.options import MODEL
from coinfarm.cli.stack import named_stack


@click.command(epilog='Example: coinfarm worker --queue "$QUEUE_URL" --idle-exit 5')
@click.option("--queue", "queue_url", help="The URL of the queue.  [default: the stack's, or $QUEUE_URL]")
@click.option("--on", "way", type=click.Choice(["lambda", "gpu"]), help="Whose queue of coinfarm --stack.  [default: lambda]")
@MODEL
@click.option("--idle-exit", "idle_exit_s", type=float, help="End when the queue has been empty for so many seconds.  [default: never]")
def worker(queue_url: str | None, way: Any, model_uri: str | None, idle_exit_s: float | None) -> None:
    """Do what the queue's messages ask for, until a signal or an empty queue ends it.

    Exits with 0 after a signal, a spot notice or an empty queue, with 1 where this machine fails at everything. CANDLES_ROOT and
    RESULTS_ROOT say where messages may point, unless coinfarm --stack does. Metrics, which are for CloudWatch, come with
    POWERTOOLS_METRICS_DISABLED=false.
    """
    given: dict[str, Any] = {"QUEUE_URL": queue_url, "MODEL_URI": model_uri, "IDLE_EXIT_S": idle_exit_s}
    if stack := named_stack():
        given |= {
            "QUEUE_URL": queue_url or stack.queue_url(way or "lambda"),
            "CANDLES_ROOT": stack.candles_uri,
            "RESULTS_ROOT": stack.results_uri,
        }
    elif way:
        raise click.UsageError("--on chooses between the queues of a stack: name it, as in coinfarm --stack NAME worker")
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from handler.worker import main

    sys.exit(main())
