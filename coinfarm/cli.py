"""The `coinfarm` command: parse and call."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.errors import CoinfarmError

if TYPE_CHECKING:
    from coinfarm.candles import Candles
    from coinfarm.models.bundle import Bundle
    from coinfarm.predictor import Predictor, Series

_MOST_CANDLES = 20_000_000  # thirty-eight years of minutes: beyond it, a time in the file is a mistake
_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE_TO_WRITE = click.Path(dir_okay=False, writable=True, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_GAPS = click.Choice(["fill", "reject"])


class _Group(click.Group):
    """Prints an error that is meant for a person as one line, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except CoinfarmError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coinfarm")
def main() -> None:
    """Candlestick charts in, predictions out, and an honest answer to whether they make money."""


def _candle_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--symbol", help="The coin, where the file's name does not tell it."),
        click.option("--interval", help="The length of a candle (1m, 1h, …), where the file's name does not tell it."),
        click.option(
            "--gaps", type=click.Choice(["fill", "reject"]), default="fill", show_default=True, help="What to do with missing candles."
        ),
    ):
        command = option(command)
    return command


@main.command(epilog="Example: coinfarm predict BTCUSD-1m.parquet --stride 60 --csv > btc.csv")
@click.argument("file", type=_EXISTING_FILE)
@click.option("--model", "model_uri", help="A model root or a .keras file, as a path or s3:// URI.  [default: the reference model]")
@click.option("--stride", type=click.IntRange(min=1), default=1, show_default=True, help="Candles between two predictions.")
@click.option("--json", "output", flag_value="json", help="The API's answer.")
@click.option("--csv", "output", flag_value="csv", help="One line per window.")
@_candle_options
def predict(
    file: Path, model_uri: str | None, stride: int, output: str | None, symbol: str | None, interval: str | None, gaps: str
) -> None:
    """Predict the horizon after each window of the candles in FILE (.json, .csv or .parquet)."""
    from coinfarm.answer import answer
    from coinfarm.report import prediction_csv, prediction_table

    series = _series(_read_candles(file, symbol, interval), stride, gaps)
    predictor = _predictor(model_uri)
    document = answer(predictor.model, _predict_with_progress(predictor, series))
    if output == "json":
        click.echo(json.dumps(document))
    elif output == "csv":
        click.echo(prediction_csv(document), nl=False)
    else:
        _print(prediction_table(document))


@main.command(epilog="Example: coinfarm render BTCUSD-1m.parquet --frames 6 -o sheet.png")
@click.argument("file", type=_EXISTING_FILE)
@click.option("-o", "--output", type=_FILE_TO_WRITE, required=True, help="The PNG to write.")
@click.option(
    "--frames", type=click.IntRange(1, 24), default=1, show_default=True, help="The last window, or a sheet of so many, evenly spread."
)
@_candle_options
def render(file: Path, output: Path, frames: int, symbol: str | None, interval: str | None, gaps: str) -> None:
    """Draw what the model sees of the candles in FILE."""
    from coinfarm.picture import picture_of
    from image_render.spec import STANDARD

    series = _series(_read_candles(file, symbol, interval), 1, gaps)
    stride = max(1, (len(series) - 1) // max(1, frames - 1))
    span = STANDARD.window_candles + (min(frames, len(series)) - 1) * stride
    output.write_bytes(picture_of(_series(series.candles[-span:], stride, gaps)))
    click.echo(output)


@main.command(epilog="Example: coinfarm invoke events/api-rest-predictions.json")
@click.argument("event", type=_EXISTING_FILE)
@click.option("--candles-root", help="Where candlesUri may point.  [default: $CANDLES_ROOT, or the folder candles/ beside EVENT]")
@click.option("--results-root", help="Where resultsUri may point.  [default: $RESULTS_ROOT, or results/ in this folder]")
def invoke(event: Path, candles_root: str | None, results_root: str | None) -> None:
    """Run the Lambda handler on the event in the file EVENT, here.

    Its answer goes to stdout, its logs and metrics to stderr. Exits with 1 where the answer is a refusal, or records failed.
    """
    try:
        document = json.loads(event.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"{event} is not JSON: {error}") from None
    os.environ["CANDLES_ROOT"] = candles_root or os.environ.get("CANDLES_ROOT") or str(event.parent / "candles")
    os.environ["RESULTS_ROOT"] = results_root or os.environ.get("RESULTS_ROOT") or "results"
    with redirect_stdout(sys.stderr):  # Lambda's logs are what a handler prints
        from handler.app import lambda_handler
        from handler.local import LocalContext

        answered = lambda_handler(document, LocalContext())
    click.echo(json.dumps(answered, indent=2))
    refused = answered.get("statusCode", answered.get("status", 200)) >= 400
    sys.exit(1 if refused or answered.get("batchItemFailures") else 0)


@main.command(epilog="Example: coinfarm serve --port 8080, then open http://127.0.0.1:8080/docs")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--model", "model_uri", help="A model root or a .keras file.  [default: $MODEL_URI, or the reference model]")
def serve(host: str, port: int, model_uri: str | None) -> None:
    """Serve the API's routes over HTTP, here. Metrics, which are for CloudWatch, come with POWERTOOLS_METRICS_DISABLED=false."""
    try:
        import uvicorn
    except ImportError:
        raise click.ClickException("serving needs uvicorn: pip install 'coinfarm[serve]'") from None
    if model_uri:
        os.environ["MODEL_URI"] = model_uri
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from handler.asgi import Application

    uvicorn.run(Application(), host=host, port=port, lifespan="on")


@main.command(epilog="Example: coinfarm example -o build")
@click.option(
    "-o",
    "--output",
    type=_FOLDER,
    default=Path("build"),
    show_default=True,
    help="A folder for the picture.",
)
def example(output: Path) -> None:
    """Send a batch of 100 frames through the handler, and show what comes back."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.report import metrics_table, prediction_table
    from handler.example import run_example

    shown = run_example(output)
    _print(prediction_table(shown.answer), metrics_table(shown.metrics))
    click.echo(f"{len(shown.answer['results'])} frames in {shown.first_s:.1f} s, the model's load among them.")
    click.echo(f"The last frame, as the model sees it: {shown.picture}")


@main.command(epilog="Example: coinfarm train coinfarm/training/reference.toml -o build/model")
@click.argument("config", type=_EXISTING_FILE)
@click.option("-o", "--output", type=_FOLDER, required=True, help="An empty folder for the bundle.")
def train(config: Path, output: Path) -> None:
    """Train a model as the TOML file CONFIG says, judge it, and leave it as a bundle, to be published."""
    from coinfarm.training.config import TrainingConfig
    from coinfarm.training.run import train as run

    if output.exists() and any(output.iterdir()):
        raise click.ClickException(f"{output} is not empty")
    plan = TrainingConfig.read(config)

    def progress(epoch: int, losses: dict[str, float]) -> None:
        shown = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
        click.echo(f"epoch {epoch + 1} of {plan.epochs}  {shown}", err=True)

    bundle = run(plan, output, progress)
    click.echo(bundle.manifest.version)


@main.group()
def model() -> None:
    """Publish versions of a model, and choose which serves. ROOT is a folder or an s3:// URI."""


@model.command(epilog="Example: coinfarm model publish model.keras --to s3://my-models/models/btc --candles BTCUSD-1m.parquet --promote")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "root", required=True, help="The model root.")
@click.option("--promote", "promotes", is_flag=True, help="Let it serve at once.")
@click.option("--name", help="What to call a bare .keras file.  [default: the file's name]")
@click.option("--unit", type=click.Choice(["percent", "window_range"]), default="percent", help="Of the outputs of a bare .keras file.")
@click.option(
    "--compile/--no-compile", "compiles", default=True, show_default=True, help="Make it fast, in every form that keeps its word."
)
@click.option("--candles", type=_EXISTING_FILE, multiple=True, help="Real candles to compile with; better than made-up ones.")
@click.option("--max-mib", type=click.FloatRange(min=0), help="Leave out the slowest forms until the bundle is no larger.")
def publish(
    source: Path, root: str, promotes: bool, name: str | None, unit: Any, compiles: bool, candles: tuple[Path, ...], max_mib: float | None
) -> None:
    """Put SOURCE, a bundle from `coinfarm train` or a .keras file, under a model root. A version, once there, never changes."""
    from tempfile import TemporaryDirectory

    from coinfarm.models.pointer import promote as move
    from coinfarm.models.publish import publish as put
    from coinfarm.models.source import open_source
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    with TemporaryDirectory() as bare, TemporaryDirectory() as compiled:
        bundle = open_source(source, Path(bare), name=name, unit=unit)
        if compiles:
            bundle = _compile(bundle, Path(compiled), candles, None if max_mib is None else int(max_mib * 2**20))
        version = put(storage, bundle)
    if promotes:
        move(storage, version)
    click.echo(version)


@model.command("list", epilog="Example: coinfarm model list s3://my-models/models/btc")
@click.argument("root")
def list_versions(root: str) -> None:
    """List the versions under ROOT; the one that serves has a star."""
    from coinfarm.errors import NotFound
    from coinfarm.models.pointer import read_pointer
    from coinfarm.models.store import ModelStore
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    try:
        read = read_pointer(storage)
        serving = read[0].version if read else None
    except NotFound:
        serving = None
    for version in ModelStore(storage).versions():
        click.echo(f"{'*' if version == serving else ' '} {version}")


@model.command(epilog="Example: coinfarm model show coinfarm/reference_model 20261122-f64964ac")
@click.argument("root")
@click.argument("version")
def show(root: str, version: str) -> None:
    """Print the manifest of a VERSION as JSON."""
    from coinfarm.models.store import ModelStore
    from coinfarm.storage import open_storage

    click.echo(ModelStore(open_storage(root)).manifest(version).to_json().decode(), nl=False)


@model.command(epilog="Example: coinfarm model promote s3://my-models/models/btc 20261122-f64964ac")
@click.argument("root")
@click.argument("version")
@click.option("--note", default="", help="Why; kept in the history.")
def promote(root: str, version: str, note: str) -> None:
    """Let VERSION serve."""
    from coinfarm.models.pointer import promote as move
    from coinfarm.storage import open_storage

    click.echo(move(open_storage(root), version, note=note).version)


@model.command(epilog="Example: coinfarm model rollback s3://my-models/models/btc --note 'worse on ETH'")
@click.argument("root")
@click.option("--note", default="", help="Why; kept in the history.")
def rollback(root: str, note: str) -> None:
    """Let that version serve again which did before."""
    from coinfarm.models.pointer import rollback as move_back
    from coinfarm.storage import open_storage

    click.echo(move_back(open_storage(root), note=note).version)


def _compile(bundle: "Bundle", folder: Path, candles: tuple[Path, ...], max_bytes: int | None) -> "Bundle":
    from coinfarm.compilation.compile import compile_bundle
    from coinfarm.compilation.report import forms_table
    from coinfarm.compilation.sample import Sample

    if not candles:
        click.echo("Without --candles the forms are made and judged with made-up candles.", err=True)
    sample = Sample.of_files(candles) if candles else Sample.generated()
    compilation = compile_bundle(bundle, folder, sample, max_bytes=max_bytes, progress=lambda step: click.echo(f"{step} …", err=True))
    _print(forms_table(compilation), to_stderr=True)
    return compilation.bundle


def _read_candles(file: Path, symbol: str | None, interval: str | None) -> "Candles":
    from coinfarm.candle_files import parse_candles

    try:
        return parse_candles(file.read_bytes(), str(file), symbol=symbol, interval=interval)
    except CoinfarmError as error:
        raise click.ClickException(f"{file}: {str(error).removeprefix(f'{file}: ')}") from None


def _series(candles: "Candles", stride: int, gaps: Any) -> "Series":
    from coinfarm.request import series_of

    return series_of(candles, stride, gaps, _MOST_CANDLES)


def _predictor(model_uri: str | None) -> "Predictor":
    from coinfarm.service import Service
    from coinfarm.settings import Settings

    overrides = {"MODEL_URI": model_uri} if model_uri else {}
    return Service(Settings.from_environment({**os.environ, **overrides, "ANSWER_CACHE_FRAMES": "0"})).predictor()


def _predict_with_progress(predictor: "Predictor", series: "Series") -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("frames", total=len(series))
        predictor.before_batch = lambda: progress.update(task, completed=predictor.timings.frames)
        return predictor.predict(series)


def _print(*tables: Any, to_stderr: bool = False) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 110, stderr=to_stderr)
    for table in tables:
        console.print(table)
