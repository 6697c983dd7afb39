"""`coinfarm predict` and `coinfarm render`: what the model says of candles, and what it sees of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.options import MODEL, candle_options, open_predictor, predict_with_progress, print_tables, read_candles, series_in
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE

if TYPE_CHECKING:
    from coinfarm.predictor import Series


@click.command(epilog="Example: coinfarm predict examples/DEMOUSD-1m.parquet --stride 60 --csv")
@click.argument("file", type=EXISTING_FILE)
@MODEL
@click.option("--stride", type=click.IntRange(min=1), default=1, show_default=True, help="Candles between two predictions.")
@click.option("--json", "output", flag_value="json", help="Print all predictions as JSON, like the API.")
@click.option("--csv", "output", flag_value="csv", help="Print all predictions as CSV, one line per window.")
@click.option("--chart", type=FILE_TO_WRITE, help="A PNG to write: the last window with its prediction.")
@candle_options
def predict(
    file: Path,
    model_uri: str | None,
    stride: int,
    output: str | None,
    chart: Path | None,
    symbol: str | None,
    interval: str | None,
    gaps: str,
) -> None:
    """Predict the horizon after each window of the candles in FILE (.json, .csv or .parquet).

    The table has the last windows, and no others are predicted for it.
    """
    from coinfarm.answer import answer
    from coinfarm.report import ROWS_SHOWN, prediction_csv, prediction_table

    series = series_in(read_candles(file, symbol, interval), stride, gaps)
    predictor = open_predictor(model_uri)
    document = answer(predictor.model, predict_with_progress(predictor, series if output else series.last(ROWS_SHOWN)))
    if chart:
        _draw_last(series, document, predictor.model.bundle.manifest.horizon_candles, chart)
    if output == "json":
        click.echo(json.dumps(document))
    elif output == "csv":
        click.echo(prediction_csv(document), nl=False)
    else:
        print_tables(prediction_table(document, len(series)))


def _draw_last(series: "Series", answer: dict[str, Any], horizon_candles: int, chart: Path) -> None:
    from coinfarm.picture import chart_of_prediction
    from coinfarm.storage.local_file import write_file
    from image_render.spec import STANDARD

    last = (len(series) - 1) * series.stride
    predicted = answer["results"][-1]["predictions"]
    if predicted is None:
        raise click.ClickException("the last window has no prediction to draw: most of its candles are missing")
    window = series.candles[last : last + STANDARD.window_candles]
    write_file(chart, chart_of_prediction(window, answer["model"], predicted, horizon_candles))


@click.command(epilog="Example: coinfarm render examples/DEMOUSD-1m.parquet --frames 6 -o build/sheet.png")
@click.argument("file", type=EXISTING_FILE)
@click.option("-o", "--output", type=FILE_TO_WRITE, required=True, help="The PNG to write.")
@click.option(
    "--frames",
    type=click.IntRange(1, 24),
    default=1,
    show_default=True,
    help="How many windows to draw: the last one, or several, evenly spread over FILE.",
)
@candle_options
def render(file: Path, output: Path, frames: int, symbol: str | None, interval: str | None, gaps: str) -> None:
    """Draw the image that the model sees of FILE's last window."""
    from coinfarm.picture import picture_of
    from coinfarm.storage.local_file import write_file
    from image_render.spec import STANDARD

    series = series_in(read_candles(file, symbol, interval), 1, gaps)
    stride = max(1, (len(series) - 1) // max(1, frames - 1))
    span = STANDARD.window_candles + (min(frames, len(series)) - 1) * stride
    write_file(output, picture_of(series_in(series.candles[-span:], stride, gaps)))
    click.echo(output)
