"""`coinfarm page`: the page of `coinfarm serve` as one file, for an API that is deployed elsewhere."""

from pathlib import Path

import click

from coinfarm.cli.paths import FILE_TO_WRITE
from coinfarm.storage.local_file import write_file


@click.command(epilog="Example: coinfarm page -o build/coinfarm.html")
@click.option("-o", "--output", type=FILE_TO_WRITE, required=True, help="The HTML file to write.")
@click.option("--api-url", help="The URL of the API that the page asks, and the only one that it can; without it the page asks for a URL.")
def page(output: Path, api_url: str | None) -> None:
    """Write a page that charts candles and predictions of a deployed API.

    The file contains everything it needs. It asks for the API's key and keeps it until the browser tab is closed. The API must allow the
    origin that the file is opened from: its setting CORS_ORIGINS, `*` for a file on this machine. Live candles, the scorecard and an
    exchange's symbols are only on the page of `coinfarm serve`.
    """
    from handler.web.single_file import single_file

    write_file(output, single_file(api_url))
    click.echo(f"{output} is written: open it in a browser, or put it on any web server.", err=True)
