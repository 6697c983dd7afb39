"""The same handler behind an ASGI server: each HTTP request becomes the event that API Gateway would send.

For a browser beside you, and for a GPU machine that answers synchronously. Requests queue for one thread: the engine uses all the
cores (or the device) for each, and Powertools' resolvers keep the request at hand in one place per process.
"""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coinfarm.errors import CoinfarmError
from handler.app import lambda_handler, service
from handler.local import LocalContext, http_event
from handler.telemetry import logger

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Application:
    """An ASGI application. The model is loaded when the server starts, so that no request waits for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="handler")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the server's."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            service()
        except CoinfarmError as error:  # no request could change the settings; a model may still come, and is asked for again
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await self._in_thread(lambda: lambda_handler({"warmup": True}, LocalContext()))
        await send({"type": "lifespan.startup.complete"})
        refreshing = asyncio.create_task(_refresh())
        await receive()
        refreshing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await refreshing
        self._thread.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive, service().settings.max_body_bytes)
        event = _as_event(scope, body)
        response = await self._in_thread(lambda: lambda_handler(event, LocalContext()))
        content = response["body"]
        payload = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        headers = [(name.lower().encode(), str(value).encode()) for name, value in response["headers"].items()]
        headers.append((b"content-length", str(len(payload)).encode()))
        await send({"type": "http.response.start", "status": response["statusCode"], "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else payload})

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


async def _refresh() -> None:
    """Follow the pointer beside the requests, so that none of them waits for a model that loads: twice as often as one of them would."""
    period_s = service().settings.model_refresh_s / 2
    while period_s:  # with 0 each request asks for itself
        await asyncio.sleep(period_s)
        try:
            await asyncio.to_thread(service().refresh)
        except Exception:  # noqa: BLE001 - the next look may do better
            logger.exception("the model could not be refreshed")


async def _read(receive: Receive, most_bytes: int) -> bytes:
    """The body, but of one that is too large no more than shows it: it is refused, not kept in memory."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        if size <= most_bytes:
            parts.append(part)
        size += len(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _as_event(scope: Scope, body: bytes) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return http_event(method, scope["path"], headers=headers, query=scope["query_string"].decode("latin-1"), body=body)
