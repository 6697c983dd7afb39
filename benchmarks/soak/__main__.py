"""`make soak`: ten minutes of requests while the model is swapped, then 2,000 shards while the workers are killed."""

import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from benchmarks.soak import processes
from benchmarks.soak.backfill import COINS, Outcome, soak_backfill
from benchmarks.soak.mix import MIN_WINDOWS
from benchmarks.soak.serving import PATIENCE_S, Plan, Served, soak_server
from benchmarks.soak.tables import backfill_table, promises_table, server_tables
from coinfarm.demo.environment import DemoEnvironment
from coinfarm.engines.processor import processor_name
from coinfarm.errors import CoinfarmError

_TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_MAX_MOVES = 10
_WINDOWS_PER_S, _MAX_WINDOWS = 100, 12_000
console = Console(width=120)


@click.command(epilog="Example: python -m benchmarks.soak --minutes 0.3 --shards 40")
@click.option("--minutes", type=click.FloatRange(min=0.05), default=10.0, show_default=True, help="How long requests are sent.")
@click.option("--rate", "rate_per_s", type=click.FloatRange(min=1), default=30.0, show_default=True, help="Requests a second.")
@click.option("--shards", type=click.IntRange(min=len(COINS)), default=2_000, show_default=True, help=f"A multiple of {len(COINS)}.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the requests, and of when workers are killed.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there, as JSON.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="A new folder, to keep what the processes say.")
def main(minutes: float, rate_per_s: float, shards: int, seed: int, output: Path | None, logs: Path | None) -> None:
    """Soak the server and the workers, and say what held. S3 and SQS are moto's, on this machine.

    The exit code is 1 where a promise broke.
    """
    if shards % len(COINS):
        raise click.BadParameter(f"{shards} is no multiple of {len(COINS)}, the number of coins", param_hint="--shards")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no worker outlives it
    machine = _machine()
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), soft_wrap=True)
    try:
        with TemporaryDirectory(prefix="coinfarm-soak-") as temporary:
            served, outcome = _soak(_plan(minutes, rate_per_s, seed), shards, logs or Path(temporary))
    except CoinfarmError as error:
        raise click.ClickException(str(error)) from None
    promises = [*served.promises(), *outcome.promises()]
    console.print(promises_table(promises))
    if output is not None:
        document = {
            "machine": machine,
            "server": served.document(),
            "backfill": outcome.document(),
            "promises": [promise._asdict() for promise in promises],
        }
        output.write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(0 if all(promise.kept for promise in promises) else 1)


def _soak(plan: Plan, shards: int, folder: Path) -> tuple[Served, Outcome]:
    folder.mkdir(parents=True, exist_ok=True)
    with DemoEnvironment(_TEMPLATE, folder) as stage, processes.inside(processes.environment_at(stage.endpoint)):
        with _bar("requests") as show:
            served = soak_server(f"s3://{stage.outputs['ModelBucketName']}/models/soak", folder, plan, show)
        console.print(*server_tables(served))
        with _bar("shards") as show:
            outcome = soak_backfill(stage, folder, shards, plan.seed, show)
        console.print(backfill_table(outcome))
    return served, outcome


def _plan(minutes: float, rate_per_s: float, seed: int) -> Plan:
    seconds = 60 * minutes
    windows = min(_MAX_WINDOWS, max(MIN_WINDOWS, round(_WINDOWS_PER_S * seconds)))
    moves = max(1, min(_MAX_MOVES, int(seconds / PATIENCE_S)))
    return Plan(seconds, rate_per_s, moves, windows, seed)


def _machine() -> dict[str, str | int]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in ("coinfarm", "openvino", "uvicorn", "moto")},
    }


@contextmanager
def _bar(what: str) -> Iterator[Callable[[float, float], None]]:
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
