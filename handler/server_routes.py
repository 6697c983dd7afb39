"""The routes that only the server has, because they need a process that lives between requests, or files beside the API.

They are not behind API Gateway, and not in the OpenAPI document. All other routes are in `handler.api_routes`.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from coinfarm.serving.service import Service
from handler.problems import CONTENT_TYPE
from handler.telemetry import report_error


@dataclass(frozen=True)
class ServerRequest:
    """A request for one of these routes. Names of headers are in lower case; `query` has the last value of each parameter."""

    service: Service
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ServerResponse:
    """The response: all bytes at once, or a generator of parts, each of which is sent as it comes (server-sent events).

    A generator is closed when the client disconnects or the server stops, wherever it waits.
    """

    body: bytes | AsyncGenerator[bytes]
    media_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[ServerRequest], Awaitable[ServerResponse]]
"""Runs in the server's event loop: what takes more than a millisecond belongs in `asyncio.to_thread`. Errors become problem documents."""

Routes = Mapping[tuple[str, str], Route]
"""By method and path. A route for GET answers HEAD too."""


async def respond(route: Route, request: ServerRequest) -> ServerResponse:
    """The response of a route, or the problem document of its error."""
    try:
        return await route(request)
    except Exception as error:  # noqa: BLE001 - as behind API Gateway, every error is a response
        document = report_error(error)
        return ServerResponse(json.dumps(document).encode(), CONTENT_TYPE, document["status"])
