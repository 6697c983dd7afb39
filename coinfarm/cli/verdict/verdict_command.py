"""The command `coinfarm verdict`: candles, predictions, backtests, and what is printed."""

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.interval_types import INTERVALS
from coinfarm.cli.options import ANY_INTERVAL, DAY, MODEL, check_interval, open_predictor
from coinfarm.cli.paths import EXISTING_FILE, FOLDER_TO_WRITE, absolute_uri
from coinfarm.cli.progress import stage_bar
from coinfarm.cli.verdict.candle_choice import CandleChoice, select_candles
from coinfarm.cli.verdict.run_predictions import predict_run
from coinfarm.cli.verdict.verdict_output import print_map, print_verdict


@dataclass(frozen=True)
class _Request:
    """The options, apart from those about candles."""

    output: Path
    model_uri: str | None
    any_interval: bool
    as_json: bool


@click.command(epilog="Example: coinfarm verdict examples/DEMOUSD-1m.parquet")
@click.argument("files", type=EXISTING_FILE, nargs=-1)
@click.option(
    "--interval",
    "intervals",
    type=INTERVALS,
    multiple=True,
    help="Test this interval; may be given several times, or as 5m,15m. Longer candles than those of the files are made of them.  "
    "[default: the intervals of the files; 1m]",
)
@click.option(
    "--edge",
    "edge_bps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="BPS",
    help="Plant an edge into synthetic candles: after every predicted window, the price drifts by so many basis points over the horizon "
    "in the direction of the predicted end change. The market follows the model, so the edge is known.",
)
@click.option(
    "-o",
    "--output",
    type=FOLDER_TO_WRITE,
    default=Path("build/verdict"),
    show_default=True,
    help="A folder for all files and the report.",
)
@click.option("--from", "first_day", type=DAY, help="The first day, UTC.  [default: the model's training cutoff]")
@click.option(
    "--to",
    "stop_day",
    type=DAY,
    help="The day after the last, UTC.  [default: the end of the files; 40 days of synthetic candles, and more of longer ones]",
)
@MODEL
@ANY_INTERVAL
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
def verdict(
    files: tuple[Path, ...],
    intervals: tuple[tuple[str, ...], ...],
    edge_bps: float | None,
    output: Path,
    first_day: datetime | None,
    stop_day: datetime | None,
    model_uri: str | None,
    any_interval: bool,
    as_json: bool,
) -> None:
    """Predict and backtest candle files: does it make money?

    FILES are named like BTCUSD-1m.parquet: symbol and interval. With several intervals, of the files or of --interval, the result is a map:
    one table and one page that say at which interval it makes money, what the cost would have to be, and how sure that is, given that so
    many intervals were tried. Without FILES, three synthetic coins are used, to try it out; their verdict says nothing about a market. Only
    candles from after the model's training data are predicted, since others would not count. If it is interrupted, run the same command
    again to continue. The verdict is the first line on stdout; progress goes to stderr.
    """
    if edge_bps is not None and files:
        raise click.UsageError("--edge is planted into synthetic candles: leave out the FILES")
    chosen = tuple(interval for each in intervals for interval in each)
    candles = CandleChoice(files, chosen, edge_bps, output, _date(first_day), _date(stop_day))
    with on_interrupt(f"Finished shards are stored in {output}. Run the same command again to continue."):
        _verdict(candles, _Request(output, model_uri, any_interval, as_json))


def _verdict(candles: CandleChoice, request: _Request) -> None:
    from coinfarm.pipeline.pipeline import collect_and_backtest, plan_backfill
    from coinfarm.reports.packages import require_report_packages

    require_report_packages()
    predictor = open_predictor(request.model_uri)
    manifest = predictor.model.bundle.manifest
    selections = select_candles(candles, predictor)
    for selection in selections:
        if not selection.synthetic:
            check_interval(manifest, selection.interval, any_interval=request.any_interval)
    model_uri = absolute_uri(request.model_uri or os.environ.get("MODEL_URI") or None)
    runs = [plan_backfill(selection, predictor, model_uri) for selection in selections]
    for run in runs:
        predict_run(run)
    click.echo("Backtest: the default strategy; thresholds are chosen on the first half and tested on the second", err=True)
    with stage_bar("reading") as progress:
        results = [collect_and_backtest(selection, run, progress) for selection, run in zip(selections, runs, strict=True)]
    if len(results) == 1:
        print_verdict(selections[0], results[0], request.output, as_json=request.as_json)
    else:
        print_map(selections, results, request.output, as_json=request.as_json)


def _date(time: datetime | None) -> date | None:
    return None if time is None else time.date()
