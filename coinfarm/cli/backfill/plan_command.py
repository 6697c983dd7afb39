"""`coinfarm backfill plan`: estimate the time and cost of a run, and write its plan."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import ANY_INTERVAL, DAY, JSON, MODEL, check_interval
from coinfarm.cli.paths import ROOT, ROOT_TO_WRITE, absolute_uri
from coinfarm.cli.stack import run_uri
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.backfill.estimate import Speed
    from coinfarm.models.manifest import Manifest


@click.command(
    epilog="Example: coinfarm backfill plan --symbol DEMOBTC --from 2026-01-01 --to 2026-01-15 --store build/store --run build/runs/demo"
)
@click.option("--symbol", "symbols", multiple=True, required=True, help="A symbol of the store; may be given several times.")
@click.option("--interval", type=INTERVAL, default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first_day", type=DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop_day", type=DAY, required=True, help="The day after the last, UTC.")
@click.option("--store", type=ROOT, required=True, help="The candle store: a folder or an s3:// URI. With coinfarm --stack, its own.")
@click.option(
    "--run",
    "root",
    type=ROOT_TO_WRITE,
    required=True,
    callback=run_uri,
    help="A new folder or s3:// URI for the run; with coinfarm --stack also a name without a slash.",
)
@click.option(
    "--results",
    type=ROOT_TO_WRITE,
    help="The folder or s3:// URI of the results; shards with a result there are skipped.  [default: that of coinfarm --stack, or --run]",
)
@MODEL
@ANY_INTERVAL
@click.option("--stride", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Candles between two predictions.")
@click.option(
    "--on",
    "target",
    type=click.Choice(["lambda", "gpu", "gpu-spot"]),
    default="lambda",
    show_default=True,
    help="What processes the queue; --budget and backfill status use its cost.",
)
@click.option("--budget", type=click.FloatRange(min=0), help="Do not plan a run that costs more than this, in US dollars.")
@click.option(
    "--frames-per-s",
    "windows_per_s",
    type=click.FloatRange(min=0, min_open=True),
    help="Windows per second on this machine.  [default: measured for 1.5 seconds]",
)
@click.option(
    "--lambda-functions", type=click.IntRange(min=1), default=10, show_default=True, help="Lambda functions that run at the same time."
)
@click.option("--lambda-memory-mb", type=click.IntRange(128, 10_240), default=3_008, show_default=True, help="Memory of a function.")
@click.option("--instances", type=click.IntRange(min=1), default=30, show_default=True, help="Instances in the GPU fleet.")
@click.option(
    "--instance-type",
    type=click.Choice(["g4dn.xlarge", "g6.xlarge"]),
    default="g4dn.xlarge",
    show_default=True,
    help="Instance type of the GPU fleet.",
)
@click.option(
    "--gpu-frames-per-s",
    "gpu_windows_per_s",
    type=click.FloatRange(min=0, min_open=True),
    help="Windows per second on one such instance, measured.  [default: an estimate]",
)
@JSON
def plan(
    symbols: tuple[str, ...],
    interval: str,
    first_day: datetime,
    stop_day: datetime,
    store: str,
    root: str,
    results: str | None,
    model_uri: str | None,
    any_interval: bool,
    stride: int,
    target: Any,
    budget: float | None,
    windows_per_s: float | None,
    lambda_functions: int,
    lambda_memory_mb: int,
    instances: int,
    instance_type: str,
    gpu_windows_per_s: float | None,
    as_json: bool,
) -> None:
    """Estimate the time and cost of a run, and write its plan.

    Nothing is predicted or spent yet. The plan does not change afterwards; it contains the model version that is in service now.
    """
    from coinfarm.backfill.estimate import ComputeLimits
    from coinfarm.backfill.plan import BackfillSpec, plan_run
    from coinfarm.backfill.run_manifest import Run
    from coinfarm.cli.backfill_tables import estimate_table
    from coinfarm.reports.formatting import dollar_text
    from coinfarm.storage import open_storage

    run = Run.at(root)
    model_uri = model_uri or os.environ.get("MODEL_URI") or None
    version, model, speed = _model_and_speed(model_uri, windows_per_s)
    check_interval(model, interval, any_interval=any_interval)
    spec = BackfillSpec(
        symbols=symbols,
        interval=interval,
        first_day=first_day.date(),
        stop_day=stop_day.date(),
        stride=stride,
        model_uri=absolute_uri(model_uri),
        model_version=version,
        candles=open_storage(store),
        results=open_storage(results) if results else run.storage,
    )
    manifest = plan_run(spec, speed, ComputeLimits(lambda_functions, lambda_memory_mb, instances, instance_type, gpu_windows_per_s), target)
    if as_json:
        click.echo(manifest.to_json().decode(), nl=False)
    else:
        print_tables(estimate_table(manifest))
    usd = manifest.estimate.target(target).usd
    if budget is not None and (usd is None or usd > budget):
        price = "unknown" if usd is None else dollar_text(usd)
        raise click.ClickException(f"nothing was planned: on {target} the price is {price}, and the budget is {dollar_text(budget)}")
    is_new = run.write(manifest)
    click.echo(f"{'Planned' if is_new else 'Already planned'}: {run.storage.uri()}", err=True)


def _model_and_speed(model_uri: str | None, windows_per_s: float | None) -> "tuple[str, Manifest | None, Speed]":
    """The version in service, its manifest (None for a Keras file), and the speed of this machine: `windows_per_s`, or else measured, which
    loads the model.
    """
    from coinfarm.backfill.estimate import Speed
    from coinfarm.backfill.plan import measure_speed
    from coinfarm.cli.options import open_predictor
    from coinfarm.engines.cores import available_cores
    from coinfarm.models.model_source import current_version
    from coinfarm.models.store import open_model_source
    from coinfarm.serving.settings import reference_model_uri

    if windows_per_s is None:
        predictor = open_predictor(model_uri)
        return predictor.model.version, predictor.model.bundle.manifest, measure_speed(predictor)
    source = open_model_source(model_uri or reference_model_uri())
    version = current_version(source)
    speed = Speed(windows_per_s, available_cores(), "as given by --frames-per-s, on this machine")
    return version, source.manifest(version), speed
