"""All routes that the page adds to the server."""

import json

from coinfarm.errors import ErrorDetail
from coinfarm.live.live_store import LiveStore
from coinfarm.storage import open_storage
from handler.problems import RouteNotFound
from handler.server_routes import Route, ServerRequest, ServerResponse
from handler.web.exchange_routes import ExchangeRoutes
from handler.web.live_routes import LiveRoutes
from handler.web.page_routes import page_routes
from handler.web.scorecard_route import ScorecardRoute
from handler.web.web_settings import WebSettings


def web_routes(settings: WebSettings) -> dict[tuple[str, str], Route]:
    """The page, `GET /features`, and for each part that is set up its routes. Raises `CoinfarmError` for a setting that cannot be used."""

    async def get_features(_: ServerRequest) -> ServerResponse:
        """What the page may ask this server for."""
        return ServerResponse(json.dumps({"exchange": settings.exchange, "liveStore": settings.live_store is not None}).encode())

    routes = {**page_routes(), ("GET", "/features"): get_features}
    if settings.live_store is None:
        routes |= {("GET", path): _missing_option("--store") for path in ("/live", "/live/events", "/scorecard")}
    else:
        store = LiveStore(open_storage(settings.live_store))
        routes |= {**LiveRoutes(store).routes(), ("GET", "/scorecard"): ScorecardRoute(store)}
    if settings.exchange is None:
        routes |= {("GET", path): _missing_option("--exchange") for path in ("/exchange/symbols", "/exchange/candles")}
    else:
        routes |= ExchangeRoutes(settings.exchange, settings.exchange_url).routes()
    return routes


def _missing_option(option: str) -> Route:
    async def explain(_: ServerRequest) -> ServerResponse:
        raise RouteNotFound(ErrorDetail("", f"this server does not have this route: start it with {option}"))

    return explain
