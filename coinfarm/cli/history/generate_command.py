"""`coinfarm history generate`: synthetic candles into a store."""

from datetime import datetime

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.history.store_options import REPLACE, STORE_TO_WRITE, how_to_continue, open_store
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import DAY
from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import plural_text


@click.command(epilog="Example: coinfarm history generate --symbol DEMOBTC --days 14 --seed 1 --store build/store")
@click.option(
    "--symbol", default="DEMO", show_default=True, help="A symbol that begins with DEMO: it cannot be mistaken for a real market."
)
@click.option("--interval", type=INTERVAL, default="1m", show_default=True, help="The length of a candle.")
@click.option("--from", "first_day", type=DAY, default="2026-01-01", show_default=True, help="The first day, UTC.")
@click.option("--days", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many days.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed gives the same candles.")
@click.option(
    "--missing-pct",
    type=click.FloatRange(0, 99),
    default=0.0,
    show_default=True,
    help="Percent of candles to leave out, as in a quiet market.",
)
@REPLACE
@STORE_TO_WRITE
def generate(symbol: str, interval: str, first_day: datetime, days: int, seed: int, missing_pct: float, replace: bool, root: str) -> None:
    """Generate synthetic candles into a store, to try things out."""
    from coinfarm.candles.day import DAY_MS, by_day, day_start_ms
    from coinfarm.candles.interval import interval_ms
    from coinfarm.candles.symbol import canonical_symbol
    from coinfarm.candles.synthetic import generate as generate_candles

    symbol = canonical_symbol(symbol)
    count = days * DAY_MS // interval_ms(interval)
    try:
        candles = generate_candles(symbol, interval, day_start_ms(first_day.date()), count, seed, missing_share=missing_pct / 100)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    store = open_store(root)
    with on_interrupt(how_to_continue(root)), progress_bar("days") as progress:
        for done, day in enumerate(by_day(candles), 1):
            store.write_day(day, replace=replace)
            progress(done, days)
    generated = plural_text(len(candles), "synthetic candle")
    click.echo(f"{symbol} {interval}: {generated} of {plural_text(days, 'day')} from {first_day.date()} on")
