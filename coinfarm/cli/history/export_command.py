"""`coinfarm history export`: a store as one Parquet file per series."""

from pathlib import Path

import click

from coinfarm.cli.history.store_options import STORE, open_store
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.paths import FOLDER_TO_WRITE
from coinfarm.reports.formatting import plural_text


@click.command(epilog="Example: coinfarm history export --store build/store -o build/candles")
@STORE
@click.option("--symbol", "symbols", multiple=True, help="One of the store's symbols; may be given several times.  [default: all]")
@click.option("--interval", type=INTERVAL, help="One of the store's intervals.  [default: all]")
@click.option("-o", "--output", type=FOLDER_TO_WRITE, required=True, help="The folder to write to.")
def export(root: str, symbols: tuple[str, ...], interval: str | None, output: Path) -> None:
    """Export a store to one Parquet file per series.

    The files are named SYMBOL-INTERVAL.parquet, for commands that read files: predict, evaluate, train.
    """
    from coinfarm.candles.parquet_file import parquet_from_candles
    from coinfarm.candles.symbol import canonical_symbol
    from coinfarm.storage.local_file import write_file

    store = open_store(root)
    stored = store.series()
    if not stored:
        raise click.ClickException(f"{root}: {store.contents()}")
    names = [canonical_symbol(symbol) for symbol in symbols]
    selected = [each for each in stored if interval in (None, each.interval) and (not symbols or each.symbol in names)]
    missing = [symbol for symbol in names if symbol not in {each.symbol for each in selected}]
    if missing or not selected:
        requested = "candles" if interval is None else f"{interval} candles"
        if missing:
            requested += f" of {missing[0]}"
        raise click.ClickException(f"{root} has no {requested}; {store.contents()}")
    for each in selected:
        candles = store.read(each.symbol, each.interval)
        path = output / f"{each.symbol}-{each.interval}.parquet"
        write_file(path, parquet_from_candles(candles))
        click.echo(f"{path}: {plural_text(len(candles), 'candle')}")
