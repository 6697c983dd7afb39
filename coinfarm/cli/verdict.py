"""`coinfarm verdict`: import, backfill and backtest with one command."""

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.options import ANY_INTERVAL, DAY, MODEL, check_interval, open_predictor
from coinfarm.cli.paths import EXISTING_FILE, FOLDER_TO_WRITE, absolute_uri
from coinfarm.cli.progress import progress_bar, run_progress_bar, stage_bar
from coinfarm.reports.formatting import coins_text

if TYPE_CHECKING:
    from coinfarm.backfill.run_manifest import Run
    from coinfarm.models.training_data import TrainingData
    from coinfarm.pipeline.candle_selection import CandleSelection


@click.command(epilog="Example: coinfarm verdict examples/DEMOUSD-1m.parquet")
@click.argument("files", type=EXISTING_FILE, nargs=-1)
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
    "--to", "stop_day", type=DAY, help="The day after the last, UTC.  [default: the end of the files; 40 days of synthetic candles]"
)
@MODEL
@ANY_INTERVAL
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
def verdict(
    files: tuple[Path, ...],
    output: Path,
    first_day: datetime | None,
    stop_day: datetime | None,
    model_uri: str | None,
    any_interval: bool,
    as_json: bool,
) -> None:
    """Predict and backtest candle files: does it make money?

    FILES are named like BTCUSD-1m.parquet: symbol and interval. Without FILES, three synthetic coins are used, to try it out; their verdict
    says nothing about a market. Only candles from after the model's training data are predicted, since others would not count. If it is
    interrupted, run the same command again to continue. The verdict is the first line on stdout; progress goes to stderr.
    """
    with on_interrupt(f"Finished shards are stored in {output}. Run the same command again to continue."):
        _verdict(files, output, first_day, stop_day, model_uri, any_interval, as_json)


def _verdict(
    files: tuple[Path, ...],
    output: Path,
    first_day: datetime | None,
    stop_day: datetime | None,
    model_uri: str | None,
    any_interval: bool,
    as_json: bool,
) -> None:
    from coinfarm.backtesting.reporting.backtest_document import backtest_document
    from coinfarm.backtesting.reporting.backtest_report import page
    from coinfarm.backtesting.reporting.predictions_summary import predictions_summary
    from coinfarm.pipeline.pipeline import collect_and_backtest, plan_backfill
    from coinfarm.reports.packages import require_report_packages

    require_report_packages()
    predictor = open_predictor(model_uri)
    selection = _select_candles(files, output, predictor.model.bundle.manifest.training, first_day, stop_day)
    if not selection.synthetic:
        check_interval(predictor.model.bundle.manifest, selection.interval, any_interval=any_interval)
    run = plan_backfill(selection, predictor, absolute_uri(model_uri or os.environ.get("MODEL_URI") or None))
    _predict(run)
    _log("Backtest: the default strategy; thresholds are chosen on the first half and tested on the second")
    with stage_bar("reading") as progress:
        result = collect_and_backtest(selection, run, progress)
    report = output / "verdict.html"
    page(result.backtest).write(report)
    if as_json:
        more = {
            "synthetic": selection.synthetic,
            "windows": result.windows.document(),
            "predictions_file": str(result.predictions),
            "candles": selection.candles_root,
            "report": str(report),
        }
        click.echo(json.dumps(backtest_document(result.backtest) | more))
        return
    found = result.backtest.verdict
    for line in (found.headline, *found.reasons, predictions_summary(result.backtest)):
        click.echo(line)
    click.echo(f"Report: {report}\nPredictions: {result.predictions}")


def _select_candles(
    files: tuple[Path, ...], output: Path, training: "TrainingData | None", first: datetime | None, stop: datetime | None
) -> "CandleSelection":
    from coinfarm.pipeline.candle_selection import SYNTHETIC_SYMBOLS, import_candle_files, store_synthetic_candles

    first_day, stop_day = (None if day is None else day.date() for day in (first, stop))
    if not files:
        _log("Candles: synthetic candles, which say nothing about a market; pass files of candles for a real one")
        with progress_bar("days") as on_days:
            selection = store_synthetic_candles(output, training, first_day, stop_day, on_days)
        _log(f"  {len(SYNTHETIC_SYMBOLS)} coins of {(selection.stop_day - selection.first_day).days} days in {selection.candles_root}")
        return selection
    _log(f"Candles: {', '.join(map(str, files))}")
    with progress_bar("days") as on_days:
        selection = import_candle_files(output, files, training, first_day, stop_day, on_days)
    _log(f"  {', '.join(selection.symbols)} {selection.interval} in {selection.candles_root}")
    if first is None:
        why = "the model's training data is unknown" if training is None else "the model was trained on earlier candles"
        _log(f"  From {selection.first_day} on: {why}.")
    return selection


def _predict(run: "Run") -> None:
    """Raises `click.ClickException` if a shard fails, and `KeyboardInterrupt` after Ctrl-C."""
    from coinfarm.backfill.local_run import available_cores, run_locally
    from coinfarm.cli.backfill_tables import run_summary_lines

    manifest = run.manifest
    windows = manifest.estimate.windows
    shards = list(manifest.shards())
    coins = coins_text(manifest.symbols, manifest.interval)
    _log(f"Backfill: {windows:,} windows of {coins} from {manifest.from_date} up to {manifest.to_date}, model {manifest.model_version}")
    started = time.perf_counter()
    with run_progress_bar(sum(shard.window_count for shard in shards)) as show:
        progress = run_locally(run.storage.uri(), shards, min(available_cores(), len(shards)), show)
    for line in run_summary_lines(progress, time.perf_counter() - started):
        _log(f"  {line}")
    if progress.stopped:
        raise KeyboardInterrupt
    if progress.failed:
        raise click.ClickException(
            f"{len(progress.failed):,} shards failed, for the reasons above: a verdict needs all predictions. Run the same command again"
        )


def _log(line: str) -> None:
    click.echo(line, err=True)
