"""`coinfarm serve`: the HTTP API on this machine."""

import os

import click

from coinfarm.cli.failures import deferred_interrupt, on_interrupt
from coinfarm.cli.options import MODEL
from coinfarm.cli.paths import ROOT
from coinfarm.extras import require


@click.command(epilog="Example: coinfarm serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all addresses of this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port to listen on; 0 for any free one.")
@MODEL
@click.option("--store", "live_store", type=ROOT, help="The store of `coinfarm watch`, which the page follows live. Setting LIVE_STORE.")
@click.option("--exchange", help="An exchange whose candles the page can show, by its ccxt name. Setting EXCHANGE.")
@click.option("--exchange-url", help="The base URL of a server that answers in place of the exchange: a proxy, or a test server.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="The number of processes, which share the port and the cores. Each loads the model.",
)
def serve(host: str, port: int, workers: int, **settings: str | None) -> None:
    """Serve the HTTP API on this machine, and a page at /.

    POWERTOOLS_METRICS_DISABLED=false also logs metrics. The port is bound before the model is loaded, and requests are accepted
    afterwards. Exit codes: 1 for an address or port that cannot be used, 3 for a setting or a model that cannot be used, 130 after Ctrl-C.
    """
    require("serving", "uvicorn", "prometheus_client")
    os.environ.update({name.upper(): value for name, value in settings.items() if value})
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.cli.sockets import bound_sockets, port_of

    with bound_sockets(host, port) as sockets, on_interrupt("All pending requests were completed."):

        def show_url() -> None:
            url = f"http://{f'[{host}]' if ':' in host else host}:{port_of(sockets[0])}"
            click.echo(f"Serving on {url} (a page in the browser; documentation: {url}/docs). Stop with Ctrl-C.", err=True)

        if workers > 1:
            from coinfarm.engines.cores import available_cores
            from handler.server_processes import ServerProcesses

            os.environ.setdefault("ENGINE_THREADS", str(max(1, available_cores() // workers)))
            click.echo(f"Loading the model in {workers} processes ...", err=True)
            ServerProcesses(sockets, workers).run(show_url)
            return
        with deferred_interrupt():
            from handler.http_server import serve as serve_sockets

        click.echo("Loading the model ...", err=True)
        serve_sockets(sockets, show_url)
