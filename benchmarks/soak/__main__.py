"""`make soak`: ten minutes of requests while the model is switched, then 2,000 shards while the workers are killed."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from benchmarks.reference import machine
from benchmarks.soak import child_processes
from benchmarks.soak.backfill_result import BackfillResult
from benchmarks.soak.backfill_soak import SYMBOLS, soak_backfill
from benchmarks.soak.request_mix import MIN_WINDOWS
from benchmarks.soak.result_tables import backfill_table, checks_table, server_tables
from benchmarks.soak.server_result import MAX_SWITCH_DELAY_S, ServerOptions, ServerResult
from benchmarks.soak.server_soak import soak_server
from coinfarm.demo.environment import DemoEnvironment
from coinfarm.errors import CoinfarmError

_TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_MAX_SWITCHES = 10
_WINDOWS_PER_S, _MAX_WINDOWS = 100, 12_000
console = Console(width=120)


@click.command(epilog="Example: python -m benchmarks.soak --minutes 0.3 --shards 40")
@click.option("--minutes", type=click.FloatRange(min=0.05), default=10.0, show_default=True, help="How long requests are sent.")
@click.option("--rate", "rate_per_s", type=click.FloatRange(min=1), default=30.0, show_default=True, help="Requests a second.")
@click.option("--shards", type=click.IntRange(min=len(SYMBOLS)), default=2_000, show_default=True, help=f"A multiple of {len(SYMBOLS)}.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the requests and of the kills.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A JSON file for the results.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="A new folder for the logs of the processes.")
def main(minutes: float, rate_per_s: float, shards: int, seed: int, output: Path | None, logs: Path | None) -> None:
    """Run the soak tests of the server and the workers, with moto's S3 and SQS on this machine.

    The exit code is 1 if a check fails.
    """
    if shards % len(SYMBOLS):
        raise click.BadParameter(f"{shards} is not a multiple of {len(SYMBOLS)}, the number of symbols", param_hint="--shards")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no worker is left behind
    measured_on = machine("coinfarm", "openvino", "uvicorn", "moto")
    console.print(", ".join(f"{name} {value}" for name, value in measured_on.items()), soft_wrap=True)
    try:
        with TemporaryDirectory(prefix="coinfarm-soak-") as temporary:
            server, backfill = _soak(_server_options(minutes, rate_per_s, seed), shards, logs or Path(temporary))
    except CoinfarmError as error:
        raise click.ClickException(str(error)) from None
    checks = [*server.checks(), *backfill.checks()]
    console.print(checks_table(checks))
    if output is not None:
        document = {
            "machine": measured_on,
            "server": server.document(),
            "backfill": backfill.document(),
            "checks": [check._asdict() for check in checks],
        }
        output.write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(0 if all(check.passed for check in checks) else 1)


def _soak(options: ServerOptions, shards: int, folder: Path) -> tuple[ServerResult, BackfillResult]:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        DemoEnvironment(_TEMPLATE, folder) as environment,
        child_processes.environment_variables(child_processes.environment_at(environment.endpoint)),
    ):
        with _bar("requests") as show:
            server = soak_server(f"s3://{environment.outputs['ModelBucketName']}/models/soak", folder, options, show)
        console.print(*server_tables(server))
        with _bar("shards") as show:
            backfill = soak_backfill(environment, folder, shards, options.seed, show)
        console.print(backfill_table(backfill))
    return server, backfill


def _server_options(minutes: float, rate_per_s: float, seed: int) -> ServerOptions:
    seconds = 60 * minutes
    windows = min(_MAX_WINDOWS, max(MIN_WINDOWS, round(_WINDOWS_PER_S * seconds)))
    switches = max(1, min(_MAX_SWITCHES, int(seconds / MAX_SWITCH_DELAY_S)))
    return ServerOptions(seconds, rate_per_s, switches, windows, seed)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[float, float], None]]:
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
