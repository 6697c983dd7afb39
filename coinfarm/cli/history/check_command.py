"""`coinfarm history check`: the coverage, gaps and errors of a store."""

import json
import sys
from pathlib import Path

import click

from coinfarm.cli.history.store_options import STORE, open_store
from coinfarm.cli.options import JSON
from coinfarm.cli.paths import FILE_TO_WRITE
from coinfarm.cli.progress import progress_bar
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm history check --store build/store -o build/coverage.png")
@STORE
@JSON
@click.option("-o", "--output", type=FILE_TO_WRITE, help="A PNG to write: one square per day, darker if more complete.")
def check(root: str, as_json: bool, output: Path | None) -> None:
    """Show the coverage, gaps and errors of a store.

    The exit code is 1 if there is an error: a damaged file, an impossible or a duplicate candle, or a series in two folders. Gaps are not
    errors, nor are candles that only look wrong: bad ticks, stuck prices and suspicious volumes.
    """
    from coinfarm.candle_store.check import check_store
    from coinfarm.candle_store.coverage_chart import coverage_png
    from coinfarm.cli.store_tables import coverage_tables, gap_table, series_table
    from coinfarm.storage.local_file import write_file

    store = open_store(root)
    with progress_bar("days") as progress:
        checks = check_store(store, progress)
    unrecognised = store.unrecognised_files()
    if as_json:
        click.echo(json.dumps({"series": [each.document() for each in checks], "strays": unrecognised}))
    else:
        tables = (*coverage_tables(checks), series_table(checks), gap_table(checks))
        print_tables(*(table for table in tables if table))
        for day in (f"{each.symbol} {each.interval} {day}" for each in checks for day in each.partial_days):
            click.echo(f"partial day: {day}")
        for line in (f"{each.symbol} {each.interval} {line}" for each in checks for line in each.suspicious):
            click.echo(f"suspicious: {line}")
        for uri in unrecognised:
            click.echo(f"unrecognised file, ignored: {uri}")
    if output:
        write_file(output, coverage_png(checks))
    errors = [f"{error.uri}: {error.detail}" for each in checks for error in each.errors] + store.folders.conflicts()
    for error in errors:
        click.echo(f"error: {error}", err=True)
    if errors:
        sys.exit(1)
