"""Options shared by the `coinfarm history` commands: the store, and whether stored candles may change."""

from typing import TYPE_CHECKING

import click

from coinfarm.cli.paths import ROOT, ROOT_TO_WRITE

if TYPE_CHECKING:
    from coinfarm.candle_store.store import CandleStore

_STORE_HELP = "The candle store: a folder or an s3:// URI. With coinfarm --stack, its own."
STORE = click.option("--store", "root", type=ROOT, required=True, help=_STORE_HELP)
STORE_TO_WRITE = click.option("--store", "root", type=ROOT_TO_WRITE, required=True, help=_STORE_HELP)
REPLACE = click.option("--replace", is_flag=True, help="Replace stored candles that differ.")


def open_store(root: str) -> "CandleStore":
    from coinfarm.candle_store.store import CandleStore
    from coinfarm.storage import open_storage

    return CandleStore(open_storage(root))


def how_to_continue(root: str) -> str:
    """What an interrupted command that writes to the store at `root` says."""
    return f"Finished days are stored in {root}. Run the same command again to continue."
