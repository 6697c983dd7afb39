"""`coinfarm invoke`: run the Lambda handler on an event."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.paths import EXISTING_FILE, ROOT, ROOT_TO_WRITE
from coinfarm.cli.stack import named_stack

if TYPE_CHECKING:
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
