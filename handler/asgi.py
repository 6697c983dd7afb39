"""The handler behind an ASGI server: each HTTP request becomes the event that API Gateway would send.

For local use, and for a GPU machine that serves requests synchronously. Predictions from JSON take `PredictionRoute`; one thread handles
all other requests, because Powertools' resolvers store the current request in one place per process.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from coinfarm.errors import CoinfarmError
from handler.app import lambda_handler, service
from handler.local_events import LocalContext, http_event
from handler.prediction_route import PredictionRoute
from handler.telemetry import logger

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LINGER_S = 5
"""How long the rest of a rejected body is still read from the client."""


class Application:
    """An ASGI application. It loads the model when the server starts, so that no request waits for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="handler")
        self._predictions: PredictionRoute | None = None

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
        except CoinfarmError as error:  # invalid settings; a missing model is no reason to stop, because it may be published later
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await self._in_thread(lambda: lambda_handler({"warmup": True}, LocalContext()))
        self._predictions = PredictionRoute(service())
        await send({"type": "lifespan.startup.complete"})
        refreshing = asyncio.create_task(_refresh())
        await receive()
        refreshing.cancel()
        with suppress(asyncio.CancelledError):
            await refreshing
        self._predictions.close()
        self._thread.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, is_complete = await _read(receive, service().settings.max_body_bytes)
        except _ClientDisconnected:
            return
        response = await self._response(scope, body)
        content = response["body"]
        payload = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        headers = [(name.lower().encode(), str(value).encode()) for name, value in response["headers"].items()]
        headers.append((b"content-length", str(len(payload)).encode()))
        if not is_complete:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response["statusCode"], "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else payload, "more_body": not is_complete})
        if not is_complete:
            # Closing the connection while the client still sends would lose the response that the client has not read yet.
            with suppress(TimeoutError, _ClientDisconnected):
                await asyncio.wait_for(_discard(receive), _LINGER_S)
            await send({"type": "http.response.body", "body": b""})

    async def _response(self, scope: Scope, body: bytes) -> dict[str, Any]:
        headers = _headers(scope)
        if self._predictions is not None and self._predictions.accepts(scope["method"], scope["path"], headers, len(body)):
            return await self._predictions.respond(body)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        event = http_event(method, scope["path"], headers=headers, query=scope["query_string"].decode("latin-1"), body=body)
        response: dict[str, Any] = await self._in_thread(lambda: lambda_handler(event, LocalContext()))
        return response

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


async def _refresh() -> None:
    """Load new model versions in the background, so that no request waits for one: twice as often as requests would check for them."""
    period_s = service().settings.model_refresh_s / 2
    while period_s:  # with 0 every request checks for itself
        await asyncio.sleep(period_s)
        try:
            await asyncio.to_thread(service().refresh)
        except Exception:  # noqa: BLE001 - the next attempt may succeed
            logger.exception("the model could not be refreshed")


class _ClientDisconnected(Exception):
    """The client closed the connection before its request was complete."""


async def _read(receive: Receive, max_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether it is complete; reading stops once the body is larger than `max_bytes`."""
    parts: list[bytes] = []
    size = 0
    while True:
        part, is_last = await _next_part(receive)
        parts.append(part)
        size += len(part)
        if is_last or size > max_bytes:
            return b"".join(parts), is_last


async def _discard(receive: Receive) -> None:
    while not (await _next_part(receive))[1]:
        pass


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _ClientDisconnected
    return message.get("body", b""), not message.get("more_body")


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
