"""`coinfarm history …`: download, import and check years of candles."""

import json
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.options import SERIES_OPTIONS
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE, FOLDER_TO_WRITE, ROOT, ROOT_TO_WRITE
from coinfarm.cli.progress import progress_bar
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.candle_store.download import DownloadResult
    from coinfarm.candle_store.store import CandleStore

_LONG_WAIT_S = 4
"""Longer waits are reported."""
_DAY = click.DateTime(["%Y-%m-%d"])
_STORE_HELP = "The candle store: a folder or an s3:// URI. With coinfarm --stack, its own."
_STORE = click.option("--store", "root", type=ROOT, required=True, help=_STORE_HELP)
_STORE_TO_WRITE = click.option("--store", "root", type=ROOT_TO_WRITE, required=True, help=_STORE_HELP)
_REPLACE = click.option("--replace", is_flag=True, help="Replace stored candles that differ.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group(epilog="Example: coinfarm history check --store build/store")
def history() -> None:
    """Store years of candles: download, import, check.

    A store has one file per symbol, interval and UTC day. A complete day does not change, unless with --replace.
    """


@history.command(
    epilog="Example: coinfarm history download --exchange bitfinex --symbol BTC/USD --from 2019-06-01 --to 2019-06-03 --store build/store"
)
@click.option(
    "--exchange", "exchange_name", default="binanceus", show_default=True, help="An exchange that ccxt supports, by its ccxt name."
)
@click.option("--symbol", required=True, help="The market as ccxt names it, such as BTC/USDT. It is stored as BTCUSDT.")
@click.option("--interval", default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop", type=_DAY, help="The day after the last, UTC.  [default: today, so that yesterday is the last]")
@click.option("--exchange-url", help="The base URL of a server that answers in place of the exchange: a proxy, or a test server.")
@_REPLACE
@_STORE_TO_WRITE
@_JSON
def download(
    exchange_name: str,
    symbol: str,
    interval: str,
    first: datetime,
    stop: datetime | None,
    exchange_url: str | None,
    replace: bool,
    root: str,
    as_json: bool,
) -> None:
    """Download candles from an exchange into a store.

    Only whole UTC days that are over are fetched. Stored days are skipped, so an interrupted download continues when you run it again. The
    exit code is 1 if a day was refused.
    """
    from coinfarm.candle_store.download import download as run
    from coinfarm.candle_store.exchange import Exchange

    if stop and stop <= first:
        raise click.ClickException(f"--to {stop.date()} is not after --from {first.date()}: it is the day after the last one")
    exchange = Exchange(exchange_name, exchange_url, _wait)
    kept = f"Finished days are kept in {root}; the same command goes on with the next one."
    with on_interrupt(kept), progress_bar("days") as progress:
        outcome = run(
            _open(root), exchange, symbol, interval, first.date(), stop.date() if stop else None, replace=replace, progress=progress
        )
    if as_json:
        click.echo(json.dumps(outcome.document()))
    else:
        _tell(outcome, exchange_name)
    for _, detail in outcome.refused:
        click.echo(f"refused: {detail}", err=True)
    if outcome.refused:
        sys.exit(1)


@history.command("import", epilog="Example: coinfarm history import examples/DEMOUSD-1m.parquet --store build/store")
@click.argument("files", type=EXISTING_FILE, nargs=-1, required=True)
@click.option("--symbol", help="The symbol, if a file's name does not contain it.")
@click.option("--interval", help="The length of a candle (1m, 1h, …), if a file's name does not contain it.")
@_REPLACE
@_STORE_TO_WRITE
@_JSON
def import_files(files: tuple[Path, ...], symbol: str | None, interval: str | None, replace: bool, root: str, as_json: bool) -> None:
    """Import candle files into a store.

    FILES are Parquet, CSV, klines JSON, or zip files of Binance's archive. If a file ends in the middle of a day, that day is stored in
    part, until another file has the rest; backfill resume --check, or backfill run, then predicts it again. The exit code is 1 if a file or
    a day was refused; the rest is stored.
    """
    from coinfarm.candle_store.importing import import_file

    store = _open(root)
    outcomes = []
    for file in files:
        with on_interrupt(f"Finished days are kept in {root}; the same command goes on."), progress_bar(file.name) as progress:
            outcome = import_file(store, file, symbol=symbol, interval=interval, replace=replace, progress=progress)
        outcomes.append(outcome)
        if outcome.candles and not as_json:
            did = ", ".join(f"{count:,} {written}" for written, count in outcome.days.items())
            click.echo(f"{file}: {outcome.symbol} {outcome.interval}, {outcome.candles:,} candles; days: {did or 'none'}")
        for detail in outcome.refused:
            click.echo(f"refused: {detail}{f', or give {SERIES_OPTIONS}' if outcome.lacks_series_name else ''}", err=True)
    if as_json:
        click.echo(json.dumps([outcome.document() for outcome in outcomes]))
    if any(outcome.refused for outcome in outcomes):
        sys.exit(1)


@history.command(epilog="Example: coinfarm history check --store build/store -o build/coverage.png")
@_STORE
@_JSON
@click.option("-o", "--output", type=FILE_TO_WRITE, help="A PNG to write: one square per day, darker if more complete.")
def check(root: str, as_json: bool, output: Path | None) -> None:
    """Show the coverage, gaps and faults of a store.

    The exit code is 1 if there is a fault: a damaged file, an impossible or a duplicate candle. Gaps are not faults.
    """
    from coinfarm.candle_store.check import check_store
    from coinfarm.candle_store.coverage_chart import coverage_png
    from coinfarm.cli.coverage_tables import coverage_tables, hole_table, series_table
    from coinfarm.storage.local_file import write_file

    store = _open(root)
    with progress_bar("days") as progress:
        checks = check_store(store, progress)
    strays = store.unrecognized_files()
    if as_json:
        click.echo(json.dumps({"series": [each.document() for each in checks], "strays": strays}))
    else:
        tables = (*coverage_tables(checks), series_table(checks), hole_table(checks))
        print_tables(*(table for table in tables if table))
        for day in (f"{each.symbol} {each.interval} {day}" for each in checks for day in each.partial_days):
            click.echo(f"in part: {day}")
        for stray in strays:
            click.echo(f"not a day of candles, ignored: {stray}")
    if output:
        write_file(output, coverage_png(checks))
    faults = [fault for each in checks for fault in each.faults]
    for fault in faults:
        click.echo(f"fault: {fault.uri}: {fault.detail}", err=True)
    if faults:
        sys.exit(1)


@history.command(epilog="Example: coinfarm history generate --symbol DEMOBTC --days 14 --seed 1 --store build/store")
@click.option("--symbol", default="DEMO", show_default=True, help="A symbol that begins with DEMO, so that nobody takes it for a market's.")
@click.option("--interval", default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first", type=_DAY, default="2026-01-01", show_default=True, help="The first day, UTC.")
@click.option("--days", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many days.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed makes the same candles.")
@click.option(
    "--missing-pct",
    type=click.FloatRange(0, 99),
    default=0.0,
    show_default=True,
    help="Percent of candles to leave out, as in a quiet market.",
)
@_REPLACE
@_STORE_TO_WRITE
def generate(symbol: str, interval: str, first: datetime, days: int, seed: int, missing_pct: float, replace: bool, root: str) -> None:
    """Generate synthetic candles into a store, to try things out."""
    from coinfarm.candles.day import DAY_MS, by_day, day_start_ms
    from coinfarm.candles.interval import interval_ms
    from coinfarm.candles.synthetic import generate as make

    count = days * DAY_MS // interval_ms(interval)
    try:
        candles = make(symbol, interval, day_start_ms(first.date()), count, seed, missing_share=missing_pct / 100)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    store = _open(root)
    with on_interrupt(f"Finished days are kept in {root}; the same command goes on."), progress_bar("days") as progress:
        for done, day in enumerate(by_day(candles), 1):
            store.write_day(day, replace=replace)
            progress(done, days)
    click.echo(f"{symbol} {interval}: {len(candles):,} synthetic candles of {days:,} days from {first.date()} on")


@history.command(epilog="Example: coinfarm history export --store build/store -o build/candles")
@_STORE
@click.option("--symbol", "symbols", multiple=True, help="One of the store's symbols; may be given several times.  [default: all]")
@click.option("--interval", help="One of the store's intervals.  [default: all]")
@click.option("-o", "--output", type=FOLDER_TO_WRITE, required=True, help="The folder to write to.")
def export(root: str, symbols: tuple[str, ...], interval: str | None, output: Path) -> None:
    """Export a store to one Parquet file per series.

    The files are named SYMBOL-INTERVAL.parquet, for commands that read files: predict, evaluate, train.
    """
    from coinfarm.candles.parquet_file import parquet_from_candles
    from coinfarm.storage.local_file import write_file

    store = _open(root)
    stored = [each for each in store.series() if interval in (None, each.interval)]
    wanted = [each for each in stored if not symbols or each.symbol in symbols]
    missing = [symbol for symbol in symbols if symbol not in {each.symbol for each in wanted}]
    if missing or not wanted:
        raise click.ClickException(f"{root} has no such candles{f' of {missing[0]}' if missing else ''}; {store.contents()}")
    for each in wanted:
        candles = store.read(each.symbol, each.interval)
        path = output / f"{each.symbol}-{each.interval}.parquet"
        write_file(path, parquet_from_candles(candles))
        click.echo(f"{path}: {len(candles):,} candles")


def _open(root: str) -> "CandleStore":
    from coinfarm.candle_store.store import CandleStore
    from coinfarm.storage import open_storage

    return CandleStore(open_storage(root))


def _wait(seconds: float, reason: str) -> None:
    if seconds >= _LONG_WAIT_S:
        click.echo(f"{reason}; asking again in {seconds:.0f} s", err=True)
    time.sleep(seconds)


def _tell(outcome: "DownloadResult", exchange_name: str) -> None:
    from coinfarm.reports.formatting import minute_text

    click.echo(f"{outcome.symbol} {outcome.interval}: {outcome.candles:,} candles of {_days(outcome.stored)} stored")
    for days, what in (
        (outcome.already_there, "already there"),
        (outcome.without_candles, "without a candle at the exchange"),
        (outcome.unfinished, "not over yet, left for later"),
    ):
        if days:
            click.echo(f"  {_days(days)} {what}: {_span(days)}")
    if outcome.first_ms is not None:
        click.echo(f"  {exchange_name} has no candles before {minute_text(outcome.first_ms)}")


def _days(days: list[date]) -> str:
    return f"{len(days):,} day{'' if len(days) == 1 else 's'}"


def _span(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
