"""`coinfarm history …`: years of candles, downloaded, imported, checked."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from coinfarm.history.store import CandleStore

_LONG_WAIT_S = 4
"""A wait that makes a person wonder."""
_DAY = click.DateTime(["%Y-%m-%d"])
_STORE = click.option("--store", "root", required=True, help="The candle store: a folder or an s3:// URI.")
_REPLACE = click.option("--replace", is_flag=True, help="Let new candles take the place of stored ones that differ.")
_JSON = click.option("--json", "as_json", is_flag=True, help="What was done, or found, as JSON.")


@click.group(epilog="Example: coinfarm history check --store candles")
def history() -> None:
    """Keep years of candles by the day. A stored day stays as it is; only a day stored in part grows."""


@history.command(epilog="Example: coinfarm history download --symbol BTC/USDT --from 2024-01-01 --to 2026-01-01 --store s3://my-candles")
@click.option("--exchange", "exchange_name", default="binanceus", show_default=True, help="One of ccxt's exchanges.")
@click.option("--symbol", required=True, help="The market as ccxt spells it: BTC/USDT, stored as BTCUSDT.")
@click.option("--interval", default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop", type=_DAY, help="The day after the last.  [default: today, which is not over]")
@click.option("--exchange-url", help="Ask this server with the exchange's own paths: a proxy, or one for tests.")
@_REPLACE
@_STORE
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
    """Fetch candles from an exchange, whole days that are over; days that are there are skipped, so a stopped download goes on.

    The exit code is 1 where a day was refused.
    """
    from coinfarm.history.download import download as run
    from coinfarm.history.exchange import Exchange

    if stop and stop <= first:
        raise click.ClickException(f"--to {stop.date()} is not after --from {first.date()}: it is the day after the last one")
    exchange = Exchange(exchange_name, exchange_url, _wait)
    with _days_done() as progress:
        outcome = run(
            _open(root), exchange, symbol, interval, first.date(), stop.date() if stop else None, replace=replace, progress=progress
        )
    if as_json:
        click.echo(json.dumps(outcome.document()))
    else:
        _say(f"{outcome.symbol} {outcome.interval}: {outcome.candles:,} candles of {_days(outcome.stored)} stored")
        for days, what in (
            (outcome.already_there, "already there"),
            (outcome.without_candles, "without a candle at the exchange"),
            (outcome.unfinished, "not over yet, left for later"),
        ):
            if days:
                _say(f"  {_days(days)} {what}: {_span(days)}")
        if outcome.first_ms is not None:
            _say(f"  {exchange_name} gives nothing before {datetime.fromtimestamp(outcome.first_ms / 1000, UTC):%Y-%m-%d %H:%M}")
    for _, detail in outcome.refused:
        click.echo(f"refused: {detail}", err=True)
    if outcome.refused:
        sys.exit(1)


def _open(root: str) -> "CandleStore":
    from coinfarm.history.store import CandleStore
    from coinfarm.storage import open_storage

    return CandleStore(open_storage(root))


def _wait(seconds: float, reason: str) -> None:
    if seconds >= _LONG_WAIT_S:
        click.echo(f"{reason}; asking again in {seconds:.0f} s", err=True)
    time.sleep(seconds)


@contextmanager
def _days_done(what: str = "days") -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _say(text: str) -> None:
    click.echo(text)


def _days(days: list[date]) -> str:
    return f"{len(days):,} day{'' if len(days) == 1 else 's'}"


def _span(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
