"""`coinfarm invoke`, `serve` and `example`: run the handlers on this machine."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import EXISTING_FILE, FOLDER_TO_WRITE, ROOT, ROOT_TO_WRITE
from coinfarm.cli.stack import named_stack
from coinfarm.cli.tables import print_tables
from coinfarm.extras import require

if TYPE_CHECKING:
    from socket import socket

    from coinfarm.aws.cloudformation import Stack


@click.command(epilog="Example: coinfarm invoke events/api-rest-predictions.json")
@click.argument("event", type=EXISTING_FILE)
@click.option(
    "--candles-root",
    type=ROOT,
    help="The folder or s3:// URI that candlesUri is relative to.  [default: $CANDLES_ROOT, or the folder candles/ next to EVENT]",
)
@click.option(
    "--results-root",
    type=ROOT_TO_WRITE,
    help="The folder or s3:// URI that resultsUri is relative to.  [default: $RESULTS_ROOT, or results/]",
)
def invoke(event: Path, candles_root: str | None, results_root: str | None) -> None:
    """Run the Lambda handler on an event.

    EVENT is a JSON file. The handler runs on this machine; with coinfarm --stack NAME, the stack's function is invoked instead. The
    response goes to stdout, logs and metrics of a local handler to stderr. The exit code is 1 if the response is an error, or if records
    failed.
    """
    try:
        document = json.loads(event.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"{event} is not JSON: {error}") from None
    stack = named_stack()
    if stack is None:
        os.environ["CANDLES_ROOT"] = candles_root or os.environ.get("CANDLES_ROOT") or str(event.parent / "candles")
        os.environ["RESULTS_ROOT"] = results_root or os.environ.get("RESULTS_ROOT") or "results"
        response = _invoke_locally(document)
    else:
        if candles_root or results_root:
            raise click.UsageError("the stack sets the roots of messages: leave out --candles-root and --results-root")
        response = _invoke_stack(stack, document)
    click.echo(json.dumps(response, indent=2))
    is_error = response.get("statusCode", response.get("status", 200)) >= 400
    sys.exit(1 if is_error or response.get("batchItemFailures") else 0)


def _invoke_locally(event: Any) -> Any:
    with redirect_stdout(sys.stderr):  # handlers print their logs
        from handler.app import lambda_handler
        from handler.local_events import LocalContext

        return lambda_handler(event, LocalContext())


def _invoke_stack(stack: "Stack", event: Any) -> Any:
    from coinfarm.aws.lambda_function import LambdaFunction

    if isinstance(event, dict) and "Records" in event:
        raise click.ClickException(
            f"stack {stack.name} receives messages through its queue (coinfarm backfill submit); without --stack they are processed here"
        )
    return LambdaFunction(stack.function_arn).invoke(event)


@click.command(epilog="Example: coinfarm serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all addresses of this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port to listen on; 0 for any free one.")
@MODEL
def serve(host: str, port: int, model_uri: str | None) -> None:
    """Serve the HTTP API on this machine.

    POWERTOOLS_METRICS_DISABLED=false also logs metrics. The port is bound before the model is loaded, and requests are accepted
    afterwards. Exit codes: 1 for an address or port that cannot be used, 3 for a setting or a model that cannot be used, 130 after Ctrl-C.
    """
    require("serving", "uvicorn")
    import uvicorn

    if model_uri:
        os.environ["MODEL_URI"] = model_uri
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.cli.sockets import bound_sockets, port_of

    class Server(uvicorn.Server):  # type: ignore[misc]
        async def startup(self, sockets: "list[socket] | None" = None) -> None:
            await super().startup(sockets)
            assert sockets is not None
            url = f"http://{f'[{host}]' if ':' in host else host}:{port_of(sockets[0])}"
            click.echo(f"Serving on {url} (documentation: {url}/docs). Stop with Ctrl-C.", err=True)

    with bound_sockets(host, port) as sockets, on_interrupt("All pending requests were completed."):
        from handler.asgi import Application

        click.echo("Loading the model ...", err=True)
        Server(uvicorn.Config(Application(), lifespan="on", ws="none")).run(sockets)


@click.command(epilog="Example: coinfarm example -o build")
@click.option(
    "-o",
    "--output",
    type=FOLDER_TO_WRITE,
    default=Path("build"),
    show_default=True,
    help="A folder for the chart.",
)
def example(output: Path) -> None:
    """Predict 100 frames through the Lambda handler, as a demo."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.cli.evaluation_tables import evaluation_record_table
    from coinfarm.cli.prediction_table import prediction_table
    from handler.example import run_example

    shown = run_example(output)
    print_tables(prediction_table(shown.response, len(shown.response["results"])), *map(evaluation_record_table, shown.evaluations))
    click.echo(f"{len(shown.response['results'])} frames predicted in {shown.first_s:.1f} s, including the loading of the model.")
    click.echo(f"The last window as the model sees it, with its prediction: {shown.chart}")
