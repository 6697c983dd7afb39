"""`coinfarm explain`: which candles a prediction depends on."""

import json
from datetime import datetime
from pathlib import Path

import click

from coinfarm.cli.options import HORIZON, MODEL, candle_options, chosen_horizon, open_predictor, read_candles, to_series
from coinfarm.cli.paths import CANDLE_FILE, FILE_TO_WRITE
from coinfarm.outputs import OUTPUT_NAMES, output_name

_TIMES = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"])


@click.command(epilog="Example: coinfarm explain examples/DEMOUSD-1m.parquet --at 2026-01-02T12:00 -o build/why.png")
@click.argument("file", type=CANDLE_FILE)
@click.option("-o", "--output", type=FILE_TO_WRITE, help="The PNG to write.")
@MODEL
@click.option("--at", "time", type=_TIMES, help="A time (UTC) within the window's last candle.  [default: the last window]")
@click.option(
    "--of",
    "outputs",
    type=click.Choice(OUTPUT_NAMES),
    multiple=True,
    help="The prediction to explain; may be given several times.  [default: all three]",
)
@HORIZON
@click.option("--group", type=click.IntRange(1, 100), default=5, show_default=True, help="How many candles are erased at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print the effects as JSON.")
@candle_options
def explain(
    file: Path,
    output: Path | None,
    model_uri: str | None,
    time: datetime | None,
    outputs: tuple[str, ...],
    horizon: int | None,
    group: int,
    as_json: bool,
    symbol: str | None,
    interval: str | None,
    gaps: str,
    timezone: str | None,
) -> None:
    """Show which candles of FILE a prediction depends on.

    Groups of candles are erased from the frame one after another, by body, wick and volume; the change of the prediction is their effect.
    """
    from coinfarm.serving.explanation import explain as explained
    from coinfarm.serving.explanation import window_at
    from coinfarm.storage.local_file import write_file

    if output is None and not as_json:
        raise click.UsageError("use -o PNG, --json or both")
    if horizon is not None and output is None:
        raise click.UsageError("--json has all horizons: leave out --horizon, which is for the PNG")
    candles = to_series(file, read_candles(file, symbol, interval, timezone), 1, gaps).candles
    predictor = open_predictor(model_uri)
    manifest = predictor.model.bundle.manifest
    candles_ahead = chosen_horizon(manifest, horizon)
    explanation = explained(predictor, window_at(candles, time), group)
    if output is not None:
        further = None if candles_ahead == manifest.horizon_candles else candles_ahead
        write_file(output, explanation.to_png(tuple(output_name(name, further) for name in outputs or OUTPUT_NAMES)))
    click.echo(json.dumps(explanation.to_dict()) if as_json else output)
