"""`coinfarm history download`: candles from an exchange into a store."""

import json
import sys
import time
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.history.store_options import REPLACE, STORE_TO_WRITE, how_to_continue, open_store
from coinfarm.cli.interval_types import INTERVALS
from coinfarm.cli.options import DAY, JSON
from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import minute_text, plural_text

if TYPE_CHECKING:
    from coinfarm.candle_store.download import DownloadResult

_MIN_REPORTED_WAIT_S = 4


@click.command(
    epilog="Example: coinfarm history download --exchange bitfinex --symbol BTC/USD --from 2019-06-01 --to 2019-06-03 --store build/store"
)
@click.option(
    "--exchange", "exchange_name", default="binanceus", show_default=True, help="An exchange that ccxt supports, by its ccxt name."
)
@click.option(
    "--symbol", "symbols", multiple=True, required=True, help="A market, such as BTC/USDT, stored as BTCUSDT; may be given several times."
)
@click.option(
    "--interval", "intervals", type=INTERVALS, default="1m", show_default=True, help="The length of a candle, or several: 1m,15m,1h."
)
@click.option("--from", "first_day", type=DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop_day", type=DAY, help="The day after the last, UTC.  [default: today, so that yesterday is the last]")
@click.option("--exchange-url", help="The base URL of a server that answers in place of the exchange: a proxy, or a test server.")
@REPLACE
@STORE_TO_WRITE
@JSON
def download(
    exchange_name: str,
    symbols: tuple[str, ...],
    intervals: tuple[str, ...],
    first_day: datetime,
    stop_day: datetime | None,
    exchange_url: str | None,
    replace: bool,
    root: str,
    as_json: bool,
) -> None:
    """Download candles from an exchange into a store.

    Only whole UTC days that are over are fetched. Stored days are skipped, so an interrupted download continues when you run it again.
    Several symbols and intervals are fetched one after the other; --json then prints a list. The exit code is 1 if a day was rejected.
    """
    from coinfarm.candle_store.download import download as download_candles
    from coinfarm.candle_store.exchange import Exchange
    from coinfarm.candles.day import check_period

    first, stop = first_day.date(), None if stop_day is None else stop_day.date()
    if stop is not None:
        check_period(first, stop)
    exchange = Exchange(exchange_name, exchange_url, _wait)
    with on_interrupt(how_to_continue(root)), progress_bar("days") as progress:
        outcomes = download_candles(open_store(root), exchange, symbols, intervals, first, stop, replace=replace, progress=progress)
    if as_json:
        documents = [outcome.document() for outcome in outcomes]
        click.echo(json.dumps(documents if len(documents) > 1 else documents[0]))
    else:
        for outcome in outcomes:
            _print_summary(outcome, exchange_name)
    rejected = [detail for outcome in outcomes for _, detail in outcome.rejected]
    for detail in rejected:
        click.echo(f"rejected: {detail}", err=True)
    if rejected:
        sys.exit(1)


def _wait(seconds: float, reason: str) -> None:
    if seconds >= _MIN_REPORTED_WAIT_S:
        click.echo(f"{reason}; trying again in {seconds:.0f} s", err=True)
    time.sleep(seconds)


def _print_summary(outcome: "DownloadResult", exchange_name: str) -> None:
    days = plural_text(len(outcome.stored), "day")
    click.echo(f"{outcome.symbol} {outcome.interval}: {plural_text(outcome.candles, 'candle')} of {days} stored")
    for skipped, why in (
        (outcome.already_stored, "already stored"),
        (outcome.without_candles, "without a candle at the exchange"),
        (outcome.unfinished, "not over yet, left for later"),
    ):
        if skipped:
            click.echo(f"  {plural_text(len(skipped), 'day')} {why}: {_range_text(skipped)}")
    if outcome.first_ms is not None:
        click.echo(f"  {exchange_name} has no candles before {minute_text(outcome.first_ms)}")


def _range_text(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
