"""`coinfarm backtest`: would it have made money?"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.options import EXISTING_FILE, print_tables

if TYPE_CHECKING:
    from coinfarm.backtest.run import Progress


@click.command(epilog="Example: coinfarm backtest --predictions results --candles history")
@click.option("--predictions", required=True, metavar="ROOT", help="Where predictions lie, as a folder, an s3:// URI or a Parquet file.")
@click.option(
    "--candles", required=True, metavar="ROOT", help="A candle store, or a folder of files such as BTCUSD-1m.parquet, or one of them."
)
@click.option("--strategy", "strategy_file", type=EXISTING_FILE, help="A TOML file.  [default: thresholds chosen by walk-forward]")
@click.option("--sweep", is_flag=True, help="Try 400 variants of the thresholds, not 40, and show the best.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def backtest(
    predictions: str,
    candles: str,
    strategy_file: Path | None,
    sweep: bool,
    as_json: bool,
) -> None:
    """Would trading upon the predictions have made money? The first line is the verdict.

    Orders are filled at the next candle's open, with slippage and fees; where a candle leaves it open what came first, the stop did.
    Predictions of windows that the model learnt from are left out.
    """
    from coinfarm.backtest.document import account, document, tables
    from coinfarm.backtest.run import backtest as run
    from coinfarm.backtest.run import for_sweep
    from coinfarm.backtest.strategy import Strategy, load_rule

    strategy = Strategy() if strategy_file is None else Strategy.read(strategy_file)
    if sweep:
        strategy = for_sweep(strategy)
    folder = Path() if strategy_file is None else strategy_file.parent
    rule = None if strategy.entry.rule is None else load_rule(strategy.entry.rule, folder)
    with _progress() as progress:
        result = run(predictions, candles, strategy, rule=rule, progress=progress)
    if as_json:
        click.echo(json.dumps(document(result)))
    else:
        click.echo(result.verdict.headline)
        for reason in result.verdict.reasons:
            click.echo(reason)
        click.echo(account(result))
        print_tables(*tables(result, sweep=sweep))


@contextmanager
def _progress() -> "Iterator[Progress]":
    """A bar on stderr, where a person looks at it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=1)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
