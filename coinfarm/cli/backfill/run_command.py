"""`coinfarm backfill run`: process a run on this machine."""

import json
import sys
import time

import click

from coinfarm.cli.backfill.run_options import RUN, open_run
from coinfarm.cli.failures import Interrupted, on_interrupt
from coinfarm.cli.options import JSON
from coinfarm.cli.progress import run_progress_bar

_FAILED = 1


@click.command("run", epilog="Example: coinfarm backfill run --run build/runs/demo")
@RUN
@click.option("--processes", type=click.IntRange(min=1), help="Processes, which share the cores.  [default: one per core]")
@JSON
def run(root: str, processes: int | None, as_json: bool) -> None:
    """Process a run on this machine.

    To continue an interrupted run, use the same command again: finished shards are kept. The exit code is 1 if a shard failed, and 130
    after Ctrl-C, which waits for the shards in progress.
    """
    from coinfarm.backfill.local_run import run_locally
    from coinfarm.cli.backfill_tables import run_summary_document, run_summary_lines
    from coinfarm.engines.cores import available_cores

    how_to_continue = f"Finished shards are stored in {root}. Run the same command again to continue."
    shards = list(open_run(root).manifest.shards())
    started = time.perf_counter()
    with on_interrupt(how_to_continue), run_progress_bar(sum(shard.window_count for shard in shards)) as show:
        progress = run_locally(root, shards, min(processes or available_cores(), len(shards)), show)
    seconds = time.perf_counter() - started
    if as_json:
        click.echo(json.dumps(run_summary_document(progress, seconds)))
    else:
        for line in run_summary_lines(progress, seconds):
            click.echo(line)
    if progress.stopped:
        raise Interrupted(how_to_continue)
    sys.exit(_FAILED if progress.failed else 0)
