"""`coinfarm scorecard`: does the model still predict as well as it was evaluated?"""

import os

import click

from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import ROOT
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm scorecard --store build/live")
@click.option("--store", "store_uri", type=ROOT, required=True, help="The live store that coinfarm watch writes: a folder or an s3:// URI.")
@MODEL
@click.option("--version", help="The version to score.  [default: the one with the newest predictions]")
@click.option("--exchange", help="Only predictions of this exchange.")
@click.option("--interval", type=INTERVAL, help="Only predictions of this interval.")
@click.option("--symbol", "symbols", multiple=True, help="Only predictions of this symbol; may be repeated.")
@click.option("--horizon", type=click.IntRange(min=1), metavar="CANDLES", help="Only this horizon of the model.  [default: all]")
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="How many days to score, up to the latest.")
@click.option("--json", "as_json", is_flag=True, help="Print the scorecard as JSON.")
def scorecard(
    store_uri: str,
    model_uri: str | None,
    version: str | None,
    exchange: str | None,
    interval: str | None,
    symbols: tuple[str, ...],
    horizon: int | None,
    days: int,
    as_json: bool,
) -> None:
    """Score live predictions against what happened, beside the evaluation of their model.

    The first line of each part is the answer of a sequential test: as evaluated, worse than evaluated, or too early to tell. However often
    you look, at most about one in twenty models that are as good as evaluated is ever called worse.
    """
    from coinfarm.cli.scorecard_tables import scorecard_tables
    from coinfarm.live.live_store import LiveStore
    from coinfarm.scorecard.scorecard import ScorecardSpec
    from coinfarm.scorecard.scorecard import scorecard as score
    from coinfarm.scorecard.scorecard_text import headline, reasons
    from coinfarm.serving.settings import Settings
    from coinfarm.storage import open_storage

    root = model_uri or Settings.from_environment(os.environ).model_uri
    spec = ScorecardSpec(exchange, interval, version, horizon, symbols, days)
    card = score(LiveStore(open_storage(store_uri)), root, spec)
    if as_json:
        click.echo(card.model_dump_json(by_alias=True))
        return
    for each in card.scores:
        click.echo("\n".join([headline(each), "", *(f"- {reason}" for reason in reasons(each)), ""]))
        print_tables(*scorecard_tables(each))
