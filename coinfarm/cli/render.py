"""`coinfarm render`: the frames that the model sees."""

from pathlib import Path

import click

from coinfarm.cli.options import candle_options, read_candles, to_series
from coinfarm.cli.paths import CANDLE_FILE, FILE_TO_WRITE


@click.command(epilog="Example: coinfarm render examples/DEMOUSD-1m.parquet --frames 6 -o build/sheet.png")
@click.argument("file", type=CANDLE_FILE)
@click.option("-o", "--output", type=FILE_TO_WRITE, required=True, help="The PNG to write.")
@click.option(
    "--frames",
    type=click.IntRange(1, 24),
    default=1,
    show_default=True,
    help="How many windows to render: the last one, or several, evenly spread over FILE.",
)
@candle_options
def render(file: Path, output: Path, frames: int, symbol: str | None, interval: str | None, gaps: str, timezone: str | None) -> None:
    """Render FILE's last window as the model sees it."""
    from coinfarm.serving.chart import chart_png
    from coinfarm.storage.local_file import write_file
    from image_render.spec import STANDARD

    series = to_series(file, read_candles(file, symbol, interval, timezone), 1, gaps)
    stride = max(1, (len(series) - 1) // max(1, frames - 1))
    span = STANDARD.window_candles + (min(frames, len(series)) - 1) * stride
    write_file(output, chart_png(to_series(file, series.candles[-span:], stride, gaps)))
    click.echo(output)
