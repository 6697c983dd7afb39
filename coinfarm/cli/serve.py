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
def serve(host: str, port: int, **settings: str | None) -> None:
    """Serve the HTTP API on this machine, and a page at /.

    POWERTOOLS_METRICS_DISABLED=false also logs metrics. The port is bound before the model is loaded, and requests are accepted
    afterwards. Exit codes: 1 for an address or port that cannot be used, 3 for a setting or a model that cannot be used, 130 after Ctrl-C.
    """
    require("serving", "uvicorn", "prometheus_client")
    os.environ.update({name.upper(): value for name, value in settings.items() if value})
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.cli.sockets import bound_sockets, port_of

    with bound_sockets(host, port) as sockets, on_interrupt("All pending requests were completed."):
        with deferred_interrupt():
            from handler.asgi import Application
            from handler.http_server import HttpServer
            from handler.server_routes import ROUTES
            from handler.web.web_routes import web_routes
            from handler.web.web_settings import WebSettings

            routes = {**ROUTES, **web_routes(WebSettings.from_environment(os.environ))}

        def show_url() -> None:
            url = f"http://{f'[{host}]' if ':' in host else host}:{port_of(sockets[0])}"
            click.echo(f"Serving on {url} (a page in the browser; documentation: {url}/docs). Stop with Ctrl-C.", err=True)

        click.echo("Loading the model ...", err=True)
        HttpServer(Application(routes), show_url).run(sockets)
