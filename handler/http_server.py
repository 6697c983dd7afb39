"""The HTTP server: uvicorn, which also ends the application's streams when it stops."""

import os
import sys
from collections.abc import Callable
from socket import socket

import uvicorn
from prometheus_client.registry import Collector
from uvicorn.main import STARTUP_FAILURE

from coinfarm.errors import CoinfarmError
from coinfarm.live.live_store import LiveStore
from coinfarm.serving.service import Service
from coinfarm.storage import open_storage
from handler.asgi import Application
from handler.web.web_routes import web_routes
from handler.web.web_settings import WebSettings


class HttpServer(uvicorn.Server):  # type: ignore[misc]
    """Serves one application; `run(sockets)` returns after a signal, when all requests have been answered."""

    def __init__(self, application: Application, on_started: Callable[[], None] = lambda: None, **options: object) -> None:
        """`on_started` is called once requests are accepted; `options` are those of `uvicorn.Config`."""
        super().__init__(uvicorn.Config(application, lifespan="on", ws="none", **options))
        self._application = application
        self._on_started = on_started

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._application.end_streams()  # uvicorn waits for all connections
        await super().shutdown(sockets)


def serve(sockets: list[socket], on_started: Callable[[], None]) -> None:
    """Serve the API and the page until a signal, with settings from the environment.

    `SystemExit` says that it could not start, after its reason has been logged.
    """
    settings = WebSettings.from_environment(os.environ)
    try:
        routes = web_routes(settings)
    except CoinfarmError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(STARTUP_FAILURE) from None
    application = Application(routes, lambda service: _collectors(settings, service))
    HttpServer(application, on_started).run(sockets)


def _collectors(settings: WebSettings, service: Service) -> list[Collector]:
    if settings.live_store is None:
        return []
    from handler.scorecard_collector import LiveScoreCollector

    return [LiveScoreCollector(LiveStore(open_storage(settings.live_store)), service.settings.model_uri)]
