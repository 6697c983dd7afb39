"""`coinfarm history import`: candle files into a store."""

import json
import sys
from pathlib import Path

import click

from coinfarm.cli.candle_notes import show_notes
from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.history.store_options import REPLACE, STORE_TO_WRITE, how_to_continue, open_store
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import JSON, SERIES_OPTION_NAMES, TIMEZONE
from coinfarm.cli.paths import CANDLE_FILE
from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import plural_text


@click.command("import", epilog="Example: coinfarm history import examples/DEMOUSD-1m.parquet --store build/store")
@click.argument("files", type=CANDLE_FILE, nargs=-1, required=True)
@click.option("--symbol", help="The symbol, if a file's name does not contain it.")
@click.option("--interval", type=INTERVAL, help="The length of a candle (1m, 1h, …), if a file's name does not contain it.")
@TIMEZONE
@REPLACE
@STORE_TO_WRITE
@JSON
def import_files(
    files: tuple[Path, ...], symbol: str | None, interval: str | None, timezone: str | None, replace: bool, root: str, as_json: bool
) -> None:
    """Import candle files into a store.

    FILES are of any source (docs/candles.md): CSV, JSON, Parquet or Feather, also compressed. If a file ends in the middle of a day, that
    day is stored in part, until another file has the rest; backfill resume --check, or backfill run, then predicts it again. The exit code
    is 1 if a file or a day was rejected; the rest is stored.
    """
    from coinfarm.candle_store.importing import import_file

    store = open_store(root)
    outcomes = []
    for file in files:
        with on_interrupt(how_to_continue(root)), progress_bar(file.name) as progress:
            outcome = import_file(store, file, symbol=symbol, interval=interval, timezone=timezone, replace=replace, progress=progress)
        outcomes.append(outcome)
        if outcome.candles and not as_json:
            days = ", ".join(f"{count:,} {written}" for written, count in outcome.days.items())
            candles = plural_text(outcome.candles, "candle")
            click.echo(f"{file}: {outcome.symbol} {outcome.interval}, {candles}; days: {days or 'none'}")
        show_notes(str(file), outcome.notes)
        for detail in outcome.rejected:
            click.echo(f"rejected: {detail}{f', or use {SERIES_OPTION_NAMES}' if outcome.lacks_series_name else ''}", err=True)
    if as_json:
        click.echo(json.dumps([outcome.document() for outcome in outcomes]))
    if any(outcome.rejected for outcome in outcomes):
        sys.exit(1)
