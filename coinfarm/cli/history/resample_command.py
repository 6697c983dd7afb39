"""`coinfarm history resample`: candles of longer intervals from stored ones."""

import json
import sys
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.history.store_options import REPLACE, STORE_TO_WRITE, how_to_continue, open_store
from coinfarm.cli.interval_types import INTERVAL, INTERVALS
from coinfarm.cli.options import JSON
from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import plural_text

if TYPE_CHECKING:
    from coinfarm.candle_store.resample_store import ResampledSeries

_REJECTED_SHOWN = 3


@click.command(epilog="Example: coinfarm history resample --from 1m --to 5m,1h --store build/store")
@click.option("--from", "from_interval", type=INTERVAL, default="1m", show_default=True, help="The interval of the stored candles.")
@click.option("--to", "to_intervals", type=INTERVALS, required=True, help="The longer intervals, separated by commas: 5m,15m,1h,4h,1d.")
@click.option(
    "--symbol", "symbols", multiple=True, help="A symbol of the store; may be given several times.  [default: all of that interval]"
)
@REPLACE
@STORE_TO_WRITE
@JSON
def resample(from_interval: str, to_intervals: tuple[str, ...], symbols: tuple[str, ...], replace: bool, root: str, as_json: bool) -> None:
    """Make candles of longer intervals from stored ones.

    Days and hours are those of UTC. Only complete candles are stored: one of which a part is not downloaded or imported yet is left out,
    until a later call. Where no candle is stored because nobody traded, the longer candle has the others, and is missing if there is none.
    The exit code is 1 if other candles are stored already.
    """
    from coinfarm.candle_store.resample_store import resample_store

    store = open_store(root)
    chosen = list(symbols) or [each.symbol for each in store.series() if each.interval == from_interval]
    if not chosen:
        raise click.ClickException(f"{root} has no {from_interval} candles; {store.contents()}")
    with on_interrupt(how_to_continue(root)), progress_bar("days") as progress:
        outcomes = resample_store(store, chosen, from_interval, to_intervals, replace=replace, progress=progress)
    if as_json:
        click.echo(json.dumps([outcome.document() for outcome in outcomes]))
    else:
        for outcome in outcomes:
            _print_summary(outcome)
    for outcome in outcomes:
        _print_rejected(outcome)
    if any(outcome.rejected for outcome in outcomes):
        sys.exit(1)


def _print_summary(outcome: "ResampledSeries") -> None:
    days = ", ".join(f"{count:,} {written}" for written, count in outcome.days.items())
    incomplete = f"; {outcome.incomplete:,} incomplete, left out" if outcome.incomplete else ""
    candles = plural_text(outcome.candles, "candle")
    click.echo(f"{outcome.symbol} {outcome.interval} from {outcome.from_interval}: {candles}; days: {days or 'none'}{incomplete}")


def _print_rejected(outcome: "ResampledSeries") -> None:
    for _, detail in outcome.rejected[:_REJECTED_SHOWN]:
        click.echo(f"rejected: {detail}", err=True)
    if len(outcome.rejected) > _REJECTED_SHOWN:
        more = plural_text(len(outcome.rejected) - _REJECTED_SHOWN, "other day")
        click.echo(f"rejected: {more} of {outcome.symbol} {outcome.interval} differ too", err=True)
