"""`coinfarm scorecard`: does the model still predict as well as it was evaluated?"""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE, ROOT
from coinfarm.cli.tables import print_tables
from coinfarm.scorecard import DEFAULT_DAYS

if TYPE_CHECKING:
    from coinfarm.scorecard.paper_trading import PaperStrategy


@click.command(epilog="Example: coinfarm scorecard --store build/cli-live")
@click.option(
    "--store",
    "store_uri",
    type=ROOT,
    required=True,
    help="The live store that coinfarm watch writes: a folder or an s3:// URI; coinfarm --stack knows its own.",
)
@MODEL
@click.option("--version", help="The version to score.  [default: the one with the newest predictions]")
@click.option("--exchange", help="Only predictions of this exchange.")
@click.option("--interval", type=INTERVAL, help="Only predictions of this interval.")
@click.option("--symbol", "symbols", multiple=True, help="Only predictions of this symbol; may be repeated.")
@click.option("--horizon", type=click.IntRange(min=1), metavar="CANDLES", help="Only this horizon of the model.  [default: all]")
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=DEFAULT_DAYS,
    show_default=True,
    help="How many days to score, up to the latest; the test is of all days.",
)
@click.option("--strategy", "strategy_file", type=EXISTING_FILE, help="The strategy of the paper profit, as for coinfarm backtest.")
@click.option("--json", "as_json", is_flag=True, help="Print the scorecard as JSON.")
@click.option("--html", type=FILE_TO_WRITE, metavar="FILE", help="Write a self-contained HTML page with plots.")
def scorecard(
    store_uri: str,
    model_uri: str | None,
    version: str | None,
    exchange: str | None,
    interval: str | None,
    symbols: tuple[str, ...],
    horizon: int | None,
    days: int,
    strategy_file: Path | None,
    as_json: bool,
    html: Path | None,
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

    if html is not None:
        from coinfarm.reports.packages import require_report_packages

        require_report_packages()
    root = model_uri or Settings.from_environment(os.environ).model_uri
    with redirect_stdout(sys.stderr):  # a rule may print
        spec = ScorecardSpec(exchange, interval, version, horizon, symbols, days, _paper_strategy(strategy_file))
        card = score(LiveStore(open_storage(store_uri)), root, spec)
    if html is not None:
        from coinfarm.scorecard.scorecard_page import page

        page(card).write(html)
    if as_json:
        click.echo(card.model_dump_json(by_alias=True))
        return
    for each in card.scores:
        click.echo("\n".join([headline(each), "", *(f"- {reason}" for reason in reasons(each)), ""]))
        print_tables(*scorecard_tables(each))


def _paper_strategy(file: Path | None) -> "PaperStrategy":
    from coinfarm.backtesting.strategy import Strategy
    from coinfarm.scorecard.paper_trading import PaperStrategy

    if file is None:
        return PaperStrategy()
    strategy = Strategy.read(file)
    return PaperStrategy(strategy, strategy.load_rule(file.parent))
