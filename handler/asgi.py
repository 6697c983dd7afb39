"""The handler behind an ASGI server: each HTTP request becomes the event that API Gateway would send.

For local use, and for a GPU machine that serves requests synchronously. Predictions from JSON take `PredictionRoute`; one thread handles
all other requests, because Powertools' resolvers store the current request in one place per process.
"""

import asyncio
import base64
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import CORSConfig
from prometheus_client.registry import Collector

from coinfarm.errors import CoinfarmError
from coinfarm.serving.service import Service
from handler.app import lambda_handler, service
from handler.asgi_messages import ClientDisconnected, Receive, Scope, Send, read_body, request_headers, send_response, send_stream
from handler.committed_openapi import documented_paths
from handler.cors import cors_config, cors_headers
from handler.local_events import LocalContext, http_event
from handler.prediction_route import PredictionRoute
from handler.server_metrics import METRICS_PATH, ServerMetrics
from handler.server_routes import Route, Routes, ServerRequest, respond
from handler.telemetry import logger, observed_predictions, print_metrics, report_error


class Application:
    """An ASGI application. It loads the model when the server starts, so that no request waits for it."""

    def __init__(self, routes: Routes = MappingProxyType({}), collectors: Callable[[Service], Iterable[Collector]] = lambda _: ()) -> None:
        """`routes` are those that only a server has, besides its metrics; the metrics include what the `collectors` of its service find."""
        self._collectors = collectors
        self._metrics = ServerMetrics({*documented_paths(), *(path for _, path in routes), METRICS_PATH})
        self._routes = {**routes, ("GET", METRICS_PATH): self._metrics.get_metrics}
        self._ending = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="handler")
        self._predictions: PredictionRoute | None = None
        self._cors: CORSConfig | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._handle_request(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            service()
        except CoinfarmError as error:  # invalid settings
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await self._in_thread(_load_model)
        self._predictions = PredictionRoute(service(), self._metrics.waiting.inc)
        self._cors = cors_config(service().settings.allowed_origins)
        self._metrics.start(service(), self._collectors(service()))
        with observed_predictions(self._metrics.predictions.record):
            await send({"type": "lifespan.startup.complete"})
            refreshing = asyncio.create_task(_refresh())
            await receive()
            refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await refreshing
            self._predictions.close()
        self._thread.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    def end_streams(self) -> None:
        """End all streams, which would keep the server from stopping."""
        self._ending.set()

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._metrics.observed(scope["method"], scope["path"]) as observed:
            try:
                body, is_complete = await read_body(receive, service().settings.max_body_bytes)
            except ClientDisconnected:
                return
            observed.status = await self._answer(scope, body, receive, send, is_complete=is_complete)

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send, *, is_complete: bool) -> int:
        """Send the response, and return its status."""
        is_head = scope["method"] == "HEAD"
        method = "GET" if is_head else scope["method"]
        route = self._routes.get((method, scope["path"])) if is_complete else None
        if route is not None:
            return await self._send_from(route, scope, body, receive, send)
        response = await self._response(method, scope, body)
        content = response["body"]
        payload = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        unread = None if is_complete else receive
        status: int = response["statusCode"]
        await send_response(send, status, response["headers"], payload, unread=unread, is_head=is_head)
        return status

    async def _send_from(self, route: Route, scope: Scope, body: bytes, receive: Receive, send: Send) -> int:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        given = request_headers(scope)
        response = await respond(route, ServerRequest(service(), query, given, body))
        headers = {"content-type": response.media_type, **response.headers, **cors_headers(self._cors, given.get("origin"))}
        is_head = scope["method"] == "HEAD"
        if isinstance(response.body, bytes):
            await send_response(send, response.status, headers, response.body, unread=None, is_head=is_head)
        elif is_head:
            await response.body.aclose()
            await send_response(send, response.status, headers, b"", unread=None, is_head=True)
        else:
            await send_stream(send, receive, response.status, headers, response.body, self._ending)
        return response.status

    async def _response(self, method: str, scope: Scope, body: bytes) -> dict[str, Any]:
        headers = request_headers(scope)
        if self._predictions is not None and self._predictions.accepts(method, scope["path"], headers, scope["query_string"], body):
            predicted = await self._predictions.respond(body)
            predicted["headers"] |= cors_headers(self._cors, headers.get("origin"))
            return predicted
        event = http_event(method, scope["path"], headers=headers, query=scope["query_string"].decode("latin-1"), body=body)
        response: dict[str, Any] = await self._in_thread(lambda: lambda_handler(event, LocalContext()))
        return response

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _load_model() -> None:
    try:
        service().model()
    except CoinfarmError as error:  # no reason to stop: a model may be published later
        report_error(error)
    print_metrics()


async def _refresh() -> None:
    """Load new model versions in the background, so that no request waits for one: twice as often as requests would check for them."""
    period_s = service().settings.model_refresh_s / 2
    while period_s:  # with 0 every request checks for itself
        await asyncio.sleep(period_s)
        try:
            await asyncio.to_thread(service().refresh)
        except Exception:  # noqa: BLE001 - the next attempt may succeed
            logger.exception("the model could not be refreshed")
