"""`coinfarm history …`: download, import, resample, check, generate and export years of candles."""

import click

from coinfarm.cli.history.check_command import check
from coinfarm.cli.history.download_command import download
from coinfarm.cli.history.export_command import export
from coinfarm.cli.history.generate_command import generate
from coinfarm.cli.history.import_command import import_files
from coinfarm.cli.history.resample_command import resample


@click.group(epilog="Example: coinfarm history check --store build/store")
def history() -> None:
    """Store years of candles: download, import, resample, check.

    A store has one file per symbol, interval and UTC day. A complete day does not change without --replace.
    """


for command in (download, import_files, resample, check, generate, export):
    history.add_command(command)
