"""`coinfarm predict` and `coinfarm render`: predictions for a file of candles, and the frames that the model sees."""

from pathlib import Path

import click

from coinfarm.cli.options import MODEL, candle_options, open_predictor, predictions_with_progress, read_candles, series_in
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm predict BTCUSD-1m.parquet --stride 60 --csv > btc.csv")
@click.argument("file", type=EXISTING_FILE)
@MODEL
@click.option("--stride", type=click.IntRange(min=1), default=1, show_default=True, help="Candles between two predictions.")
@click.option("--json", "output", flag_value="json", help="Print JSON, as the API answers.")
@click.option("--csv", "output", flag_value="csv", help="Print CSV, one line per window.")
@candle_options
def predict(
    file: Path, model_uri: str | None, stride: int, output: str | None, symbol: str | None, interval: str | None, gaps: str
) -> None:
    """Predict the horizon after each window of the candles in FILE (.json, .csv or .parquet).

    The table shows the last windows, and only these are predicted for it. --csv and --json write rows while others are predicted.
    """
    from coinfarm.answer import answer, json_texts
    from coinfarm.report import ROWS_SHOWN, csv_lines, prediction_table

    series = series_in(read_candles(file, symbol, interval), stride, gaps)
    predictor = open_predictor(model_uri)
    if output is None:
        document = answer(predictor.model, predictor.predict(series.last(ROWS_SHOWN)))
        print_tables(prediction_table(document, len(series), f"--csv and --json give all {len(series):,}"))
        return
    parts = predictions_with_progress(predictor, series)
    for text in json_texts(predictor.model, parts) if output == "json" else csv_lines(parts):
        click.echo(text, nl=False)


@click.command(epilog="Example: coinfarm render BTCUSD-1m.parquet --frames 6 -o sheet.png")
@click.argument("file", type=EXISTING_FILE)
@click.option("-o", "--output", type=FILE_TO_WRITE, required=True, help="The PNG to write.")
@click.option(
    "--frames", type=click.IntRange(1, 24), default=1, show_default=True, help="Windows to draw, evenly spread; 1 is the last one."
)
@candle_options
def render(file: Path, output: Path, frames: int, symbol: str | None, interval: str | None, gaps: str) -> None:
    """Draw the frames that the model sees of the candles in FILE."""
    from coinfarm.picture import picture_of
    from coinfarm.storage.local_file import write_file
    from image_render.spec import STANDARD

    series = series_in(read_candles(file, symbol, interval), 1, gaps)
    stride = max(1, (len(series) - 1) // max(1, frames - 1))
    span = STANDARD.window_candles + (min(frames, len(series)) - 1) * stride
    write_file(output, picture_of(series_in(series.candles[-span:], stride, gaps)))
    click.echo(output)
