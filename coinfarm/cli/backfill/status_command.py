"""`coinfarm backfill status`: the progress of a run, once or until it is done."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from coinfarm.cli.backfill.run_options import DEAD_LETTER_QUEUE, QUEUE, RUN, UNFINISHED, find_dead_letter_queue, find_queue, open_run
from coinfarm.cli.options import JSON
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from coinfarm.backfill.status import Status


@click.command(epilog="Example: coinfarm backfill status --run build/runs/demo")
@RUN
@QUEUE
@DEAD_LETTER_QUEUE
@click.option("--watch", is_flag=True, help="Repeat until all shards are done.")
@click.option(
    "--every-s", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds between two repetitions, with --watch."
)
@JSON
def status(root: str, queue_url: str | None, dead_letter_url: str | None, watch: bool, every_s: float, as_json: bool) -> None:
    """Show the progress of a run.

    It counts results and messages in the queue. --watch with --json prints one line of JSON each time.

    The exit code is 0 if all shards are done, and 3 if not.
    """
    from coinfarm.backfill.status import StatusMonitor
    from coinfarm.cli.backfill_tables import status_document, status_table

    run = open_run(root)
    queue = find_queue(run, queue_url)
    monitor = StatusMonitor(run, queue, find_dead_letter_queue(queue, dead_letter_url))

    def table(found: "Status") -> "Table":
        return status_table(found, run.manifest, run.storage.uri())

    is_live = watch and not as_json and sys.stdout.isatty()
    with _live_display() if is_live else nullcontext() as live:

        def poll() -> "Status":
            found = monitor.status()
            if as_json:
                click.echo(json.dumps(status_document(found), indent=None if watch else 2))
            if live is not None:
                live.update(table(found), refresh=True)
            return found

        found = _poll_until_finished(poll, every_s) if watch else poll()
    if not as_json and not is_live:
        print_tables(table(found))
    sys.exit(0 if found.is_complete else UNFINISHED)


def _live_display() -> "Live":
    """A part of the terminal in which each table replaces the one before."""
    from rich.console import Console
    from rich.live import Live

    return Live(console=Console(), auto_refresh=False)


def _poll_until_finished(poll: Callable[[], "Status"], every_s: float) -> "Status":
    """Poll until all shards are done, or no message is left in the queue."""
    from coinfarm.backfill.status import IDLE_POLLS

    idle_polls = 0
    while True:
        found = poll()
        idle_polls = idle_polls + 1 if found.is_idle else 0
        if found.is_complete or idle_polls >= IDLE_POLLS:
            return found
        time.sleep(every_s)
