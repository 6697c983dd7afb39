"""The `coinfarm` command."""

import click

from coinfarm.cli.backfill import backfill
from coinfarm.cli.backtest import backtest
from coinfarm.cli.candle_notes import show_candle_warnings
from coinfarm.cli.compare import compare
from coinfarm.cli.completion import completion
from coinfarm.cli.evaluate import evaluate
from coinfarm.cli.example import example
from coinfarm.cli.explain import explain
from coinfarm.cli.failures import ErrorGroup
from coinfarm.cli.help_examples import show_examples
from coinfarm.cli.history import history
from coinfarm.cli.invoke import invoke
from coinfarm.cli.model import model
from coinfarm.cli.page import page
from coinfarm.cli.predict import predict
from coinfarm.cli.render import render
from coinfarm.cli.scorecard import scorecard
from coinfarm.cli.serve import serve
from coinfarm.cli.stack import show_stack, use_stack
from coinfarm.cli.train import train
from coinfarm.cli.verdict import verdict
from coinfarm.cli.version import version_option
from coinfarm.cli.watch import watch
from coinfarm.cli.worker import worker


@click.group(cls=ErrorGroup, context_settings={"help_option_names": ["-h", "--help"]})
@version_option
@click.option(
    "--stack",
    metavar="NAME",
    envvar="COINFARM_STACK",
    help="Use the model, candle store, results and queues of this deployed stack. Options of a command take precedence.",
)
@click.pass_context
def main(context: click.Context, stack: str | None) -> None:
    """Predict prices from candlestick charts, and backtest whether trading on the predictions makes money."""
    show_candle_warnings()
    use_stack(context, stack)


for command in (
    predict,
    render,
    explain,
    invoke,
    serve,
    page,
    watch,
    example,
    train,
    compare,
    evaluate,
    backtest,
    verdict,
    scorecard,
    model,
    history,
    backfill,
    worker,
    show_stack,
    completion,
):
    main.add_command(command)
show_examples(main)
