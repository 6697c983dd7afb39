"""Shared by several commands: options, reading candles from a file, and opening a predictor."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.candle_notes import show_notes
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.paths import ROOT
from coinfarm.cli.progress import progress_bar
from coinfarm.errors import CoinfarmError

if TYPE_CHECKING:
    from coinfarm.candles.candles import Candles
    from coinfarm.models.manifest import Manifest
    from coinfarm.prediction.predictions import Predictions
    from coinfarm.prediction.predictor import Predictor
    from coinfarm.prediction.series import Series

DAY = click.DateTime(["%Y-%m-%d"])
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
MODEL = click.option(
    "--model",
    "model_uri",
    type=ROOT,
    help="A model root, the folder that coinfarm train wrote, or a .keras file: a path or an s3:// URI.  "
    "[default: that of coinfarm --stack, $MODEL_URI, or the reference model]",
)

HORIZON = click.option(
    "--horizon", type=click.IntRange(min=1), metavar="CANDLES", help="Which of the model's horizons to show.  [default: its first]"
)
ANY_INTERVAL = click.option(
    "--any-interval", is_flag=True, help="Allow candles of another interval than the model was trained on, such as 1h instead of 1m."
)

TIMEZONE = click.option(
    "--timezone", help="The time zone of times that have none, such as Europe/Athens or America/New_York+7.  [default: UTC]"
)
SERIES_OPTION_NAMES = "--symbol and --interval"
_WINDOWS_PER_PART = 2_000


def candle_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--symbol", help="The symbol, if the file's name does not contain it."),
        click.option("--interval", type=INTERVAL, help="The length of a candle (1m, 1h, …), if the file's name does not contain it."),
        click.option(
            "--gaps",
            type=click.Choice(["fill", "reject", "skip"]),
            default="fill",
            show_default=True,
            help="Fill missing candles with flat ones, reject the file, or skip the gaps of a market that closes.",
        ),
        TIMEZONE,
    ):
        command = option(command)
    return command


def read_candles(file: Path, symbol: str | None, interval: str | None, timezone: str | None = None) -> "Candles":
    """The candles of a file, or of standard input for `-`. Notes on what was dropped or looks wrong go to stderr."""
    from coinfarm.candles.files import MissingSeriesName
    from coinfarm.candles.files import read_candles as read

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        reading = read(data, str(file), symbol=symbol, interval=interval, timezone=timezone)
    except MissingSeriesName as error:
        raise click.ClickException(f"{error}, or use {SERIES_OPTION_NAMES}") from None
    except CoinfarmError as error:
        raise click.ClickException(f"{file}: {str(error).removeprefix(f'{file}: ')}") from None
    show_notes(str(file), reading.notes)
    return reading.candles


def series_text(candles: "Candles") -> str:
    """Coin, interval, number and period of candles, in one line."""
    from coinfarm.reports.formatting import minute_text, plural_text

    first, last = (minute_text(int(candles.open_time[at])) for at in (0, -1))
    return f"{candles.symbol} {candles.interval}, {plural_text(len(candles), 'candle')} from {first} to {last} UTC"


def to_series(file: Path, candles: "Candles", stride: int, gaps: Any) -> "Series":
    """The series of a file's candles. Errors name the file."""
    from coinfarm.candles.validation import MAX_CANDLES
    from coinfarm.serving.request import prepare_series

    try:
        return prepare_series(candles, stride, gaps, MAX_CANDLES)
    except CoinfarmError as error:
        raise click.ClickException(f"{file}: {str(error).removeprefix('/candles: ')}") from None


def open_predictor(model_uri: str | None, version: str | None = None, before_batch: Callable[[], None] = lambda: None) -> "Predictor":
    from coinfarm.models.single_version import BundleFolder
    from coinfarm.models.store import open_model_root, open_model_source
    from coinfarm.serving.service import Service
    from coinfarm.serving.settings import Settings
    from coinfarm.storage import local_folder

    overrides = {"MODEL_URI": model_uri} if model_uri else {}
    settings = Settings.from_environment({**os.environ, **overrides, "PREDICTION_CACHE_FRAMES": "0"})
    is_local_root = local_folder(settings.model_uri) is not None and not settings.model_uri.endswith(".keras")
    if is_local_root and not isinstance(open_model_source(settings.model_uri), BundleFolder):
        open_model_root(settings.model_uri)  # raises an error that names what the folder lacks
    return Service(settings).predictor(version, before_batch=before_batch)


def chosen_horizon(manifest: "Manifest", horizon: int | None) -> int:
    """The model's first horizon, unless another is asked for. Raises `click.UsageError` if the model has no such horizon."""
    if horizon is not None and horizon not in manifest.horizons:
        found = " or ".join(map(str, manifest.horizons))
        raise click.UsageError(f"--horizon {horizon}: model {manifest.version} predicts the next {found} candles: choose one of these")
    return horizon or manifest.horizon_candles


def check_interval(manifest: "Manifest | None", interval: str, *, any_interval: bool) -> None:
    """Raises `click.ClickException` if the model is known to have been trained on another interval, unless that is allowed."""
    if manifest is None or manifest.training is None or interval in manifest.training.intervals:
        return
    trained = f"model {manifest.version} was trained on {', '.join(manifest.training.intervals)} candles, and these are {interval} candles"
    if not any_interval:
        raise click.ClickException(f"{trained}: its predictions may mean nothing there. To try it anyway, use --any-interval")
    click.echo(f"Mismatch: {trained}.", err=True)


def predictions_with_progress(predictor: "Predictor", series: "Series") -> "Iterator[Predictions]":
    """The predictions in parts, oldest first, each as soon as it is made, with a progress bar.

    There is no bar if stdout is a terminal: the rows show the progress.
    """
    is_hidden = sys.stdout.isatty()
    with progress_bar("frames", len(series), hidden=is_hidden) as update:
        done = 0
        for predictions in predictor.predict_each(series.parts(_WINDOWS_PER_PART)):
            done += len(predictions)
            update(done)
            yield predictions
