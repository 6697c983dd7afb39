"""`coinfarm backfill demo`: the whole pipeline on one machine, by one command."""

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

_TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_INCOMPLETE = 1


@click.command(epilog="Example: coinfarm backfill demo --symbols 1 --days 2")
@click.option("--symbols", type=click.IntRange(1, 8), default=2, show_default=True, help="Synthetic coins.")
@click.option("--days", type=click.IntRange(1, 365), default=10, show_default=True, help="Days of synthetic 1m candles for each coin.")
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Worker processes.")
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
    help="A folder for the report, the predictions and the workers' logs; what a demo left there before is replaced.",
)
def demo(symbols: int, days: int, workers: int, template: Path, output: Path) -> None:
    """Show a backfill from end to end on this machine, without AWS.

    Moto's server replaces AWS, with the buckets and queues of template.yaml. Synthetic candles and the reference model are uploaded, a run
    is planned and sent to the queue, workers process it, its results are collected, and a report describes how it went. Each step is the
    command that is printed, with the settings that are printed with it. Neither your AWS profile nor anything beyond this machine is used.

    It needs a checkout or a source distribution, for template.yaml is not part of the wheel: elsewhere name one with --template. It also
    needs the packages of pip install 'coinfarm[demo,report]'. Exit codes: 1 where a step failed or a window is unaccounted for; 130 after
    Ctrl-C, which leaves no process behind.
    """
    from coinfarm.demo.demo import Play, perform
    from coinfarm.demo.demo_report import summary, write_report
    from coinfarm.reports.packages import require_packages

    require_packages()
    with _ended_in_order():
        outcome = perform(Play(symbols, days, workers, template, output), click.echo, _progress())
        report = write_report(outcome, output)
    click.echo(summary(outcome))
    click.echo(f"Report: {report}; predictions: {outcome.predictions}")
    sys.exit(0 if outcome.is_whole else _INCOMPLETE)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Lets a signal end it as an exception does, so that no process is left behind."""
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("No process is left running. Call it again to begin anew.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: object) -> None:
    sys.exit(128 + number)


@contextmanager
def _progress() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar, with what the queue holds beside it."""
    with progress_bar("windows") as update:

        def show(status: dict[str, Any]) -> None:
            pace = f"{status['framesPerS']:,.0f}/s, " if status["framesPerS"] else ""
            note = f"{pace}{status['waiting']} shards waiting, {status['inFlight']} in flight, {status['done']} done"
            update(status["framesDone"], status["frames"], note=note)

        yield show
