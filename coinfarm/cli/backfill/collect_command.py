"""`coinfarm backfill collect`: join a run's results, and account for every window."""

import json
import sys
from pathlib import Path

import click

from coinfarm.cli.backfill.run_options import RUN, UNFINISHED, open_run
from coinfarm.cli.options import JSON
from coinfarm.cli.paths import FILE_OR_FOLDER_TO_WRITE
from coinfarm.cli.progress import progress_bar
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm backfill collect --run build/runs/demo -o build/predictions.parquet")
@RUN
@click.option(
    "-o",
    "--output",
    type=FILE_OR_FOLDER_TO_WRITE,
    required=True,
    help="A .parquet file, or a new folder for one file per symbol and month.",
)
@JSON
def collect(root: str, output: Path, as_json: bool) -> None:
    """Join a run's results, and account for every window.

    The exit code is 3 if shards are missing; existing results are written anyway.
    """
    from coinfarm.backfill.collect import collect as collect_results
    from coinfarm.cli.backfill_tables import outcomes_table

    if output.suffix not in ("", ".parquet") and not output.is_dir():
        raise click.UsageError(f"-o {output}: predictions are written as Parquet. Use a .parquet file, or a folder without an extension")

    run = open_run(root)
    with progress_bar("shards") as progress:
        outcomes = collect_results(run, output, progress)
    if as_json:
        click.echo(json.dumps({"interval": run.manifest.interval, **outcomes.document()}, indent=2))
    else:
        print_tables(outcomes_table(outcomes, run.manifest.interval))
        click.echo(output)
    sys.exit(UNFINISHED if outcomes.missing else 0)
