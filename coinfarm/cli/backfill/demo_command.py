"""`coinfarm backfill demo`: a complete backfill on this machine, with one command."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from coinfarm.cli.failures import Interrupted
from coinfarm.cli.paths import FOLDER_TO_WRITE
from coinfarm.cli.progress import progress_bar

_TEMPLATE = Path(__file__).parents[3] / "template.yaml"
_INCOMPLETE = 1


@click.command(epilog="Example: coinfarm backfill demo --symbols 1 --days 2")
@click.option("--symbols", type=click.IntRange(1, 8), default=2, show_default=True, help="Number of synthetic coins.")
@click.option("--days", type=click.IntRange(1, 365), default=10, show_default=True, help="Days of synthetic 1m candles for each coin.")
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Number of worker processes.")
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_TEMPLATE,
    help="The template whose buckets and queues are created.  [default: the checkout's template.yaml]",
)
@click.option(
    "-o",
    "--output",
    type=FOLDER_TO_WRITE,
    default=Path("build/demo"),
    show_default=True,
    help="A folder for the report, the predictions and the workers' logs; those of an earlier demo are replaced.",
)
def demo(symbols: int, days: int, workers: int, template: Path, output: Path) -> None:
    """Show a backfill from end to end on this machine, without AWS.

    Moto's server replaces AWS, with the buckets and queues of template.yaml. Synthetic candles and the reference model are uploaded, a run
    is planned and sent to the queue, workers process it, its results are collected, and a report describes the run. Each step is a command
    that is printed together with its settings. Neither your AWS profile nor anything beyond this machine is used.

    It needs a checkout or a source distribution, because template.yaml is not part of the wheel: elsewhere pass one with --template. It
    also needs the packages of pip install 'coinfarm[demo,report]'. Exit codes: 1 if a step failed or a window is unaccounted for; 130 after
    Ctrl-C, which leaves no process behind.
    """
    from coinfarm.demo.demo_report import summary, write_report
    from coinfarm.demo.run_demo import DemoOptions, run_demo
    from coinfarm.reports.packages import require_report_packages

    require_report_packages()
    with _exit_on_signals():
        result = run_demo(DemoOptions(symbols, days, workers, template, output), click.echo, _status_bar())
        report = write_report(result, output)
    click.echo(summary(result))
    click.echo(f"Report: {report}; predictions: {result.predictions}")
    sys.exit(0 if result.is_complete else _INCOMPLETE)


@contextmanager
def _exit_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise `SystemExit`, so that no process is left behind."""
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("No process is left running. Run the same command again to start over.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: object) -> None:
    sys.exit(128 + number)


@contextmanager
def _status_bar() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A progress bar that also shows the state of the queue."""
    with progress_bar("windows") as update:

        def show(status: dict[str, Any]) -> None:
            speed = f"{status['framesPerS']:,.0f}/s, " if status["framesPerS"] else ""
            note = f"{speed}{status['waiting']} shards waiting, {status['inFlight']} in flight, {status['done']} done"
            update(status["framesDone"], status["frames"], note=note)

        yield show
