"""`coinfarm predict`: predictions for a file of candles."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.options import (
    ANY_INTERVAL,
    HORIZON,
    MODEL,
    candle_options,
    check_interval,
    chosen_horizon,
    open_predictor,
    predictions_with_progress,
    read_candles,
    series_text,
    to_series,
)
from coinfarm.cli.paths import CANDLE_FILE, FILE_TO_WRITE
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor
    from coinfarm.prediction.series import Series


@click.command(epilog="Example: coinfarm predict examples/DEMOUSD-1m.parquet --stride 60 --csv")
@click.argument("file", type=CANDLE_FILE)
@MODEL
@ANY_INTERVAL
@click.option("--stride", type=click.IntRange(min=1), default=1, show_default=True, help="Candles between two predictions.")
@click.option("--json", "output", flag_value="json", help="Print all predictions as JSON, like the API.")
@click.option("--csv", "output", flag_value="csv", help="Print all predictions as CSV, one line per window.")
@click.option("--chart", type=FILE_TO_WRITE, help="A PNG to write: the last window with its prediction.")
@HORIZON
@candle_options
def predict(
    file: Path,
    model_uri: str | None,
    any_interval: bool,
    stride: int,
    output: str | None,
    chart: Path | None,
    horizon: int | None,
    symbol: str | None,
    interval: str | None,
    gaps: str,
    timezone: str | None,
) -> None:
    """Predict what follows each window of the candles in FILE.

    FILE is of any source (docs/candles.md): CSV, JSON, Parquet or Feather, also compressed; - is standard input. The table shows the last
    20 windows. --csv and --json predict all windows, and write each as soon as it is predicted.
    """
    from coinfarm.cli.prediction_table import ROWS_SHOWN, csv_lines, prediction_table
    from coinfarm.serving.response import json_chunks, response_document

    if horizon and output and not chart:
        raise click.UsageError(f"--{output} has all horizons: leave out --horizon, which is for the table and the chart")
    candles = read_candles(file, symbol, interval, timezone)
    series = to_series(file, candles, stride, gaps)
    click.echo(series_text(candles), err=True)
    predictor = open_predictor(model_uri)
    manifest = predictor.model.bundle.manifest
    check_interval(manifest, series.candles.interval, any_interval=any_interval)
    horizon = chosen_horizon(manifest, horizon)
    if chart:
        _write_chart(series, predictor, chart, horizon)
    note = series.missing_note("--gaps skip")
    if note is not None:
        click.echo(note, err=True)
    if output is None:
        document = response_document(predictor.model, predictor.predict(series.last(ROWS_SHOWN)))
        shown = horizon if len(manifest.horizons) > 1 else None
        print_tables(prediction_table(document, len(series), f"--csv and --json give all {len(series):,}", shown))
        return
    parts = predictions_with_progress(predictor, series)
    for text in json_chunks(predictor.model, parts) if output == "json" else csv_lines(parts, manifest.horizons[1:]):
        click.echo(text, nl=False)


def _write_chart(series: "Series", predictor: "Predictor", chart: Path, horizon_candles: int) -> None:
    from coinfarm.serving.chart import prediction_chart_png
    from coinfarm.serving.response import predicted_at, response_document
    from coinfarm.storage.local_file import write_file
    from image_render.spec import STANDARD

    last = series.last(1)
    document = response_document(predictor.model, predictor.predict(last))
    predicted = predicted_at(document["results"][-1], horizon_candles)
    if predicted is None:
        raise click.ClickException("the last window has no prediction to show: most of its candles are missing")
    window = last.candles[: STANDARD.window_candles]
    write_file(chart, prediction_chart_png(window, document["model"], predicted, horizon_candles))
