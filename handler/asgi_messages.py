"""Reads requests from an ASGI server, and sends it responses: complete ones, and streams that end with the connection."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing, suppress
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LINGER_S = 5
"""How long the rest of a rejected body is still read from the client."""


class ClientDisconnected(Exception):
    """The client closed the connection before its request was complete."""


def request_headers(scope: Scope) -> dict[str, str]:
    """The headers by name, in lower case; several of one name are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def read_body(receive: Receive, max_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether it is complete; reading stops once the body is larger than `max_bytes`."""
    parts: list[bytes] = []
    size = 0
    while True:
        part, is_last = await _next_part(receive)
        parts.append(part)
        size += len(part)
        if is_last or size > max_bytes:
            return b"".join(parts), is_last


async def send_response(send: Send, status: int, headers: Mapping[str, str], body: bytes, *, unread: Receive | None, is_head: bool) -> None:
    """Send a complete response. `unread` is the rest of a body that is too large: the connection is closed after it."""
    lines = _lines({**headers, "content-length": str(len(body)), **({} if unread is None else {"connection": "close"})})
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if is_head else body, "more_body": unread is not None})
    if unread is not None:
        # Closing the connection while the client still sends would lose the response that the client has not read yet.
        with suppress(TimeoutError, ClientDisconnected):
            await asyncio.wait_for(_discard(unread), _LINGER_S)
        await send({"type": "http.response.body", "body": b""})


async def send_stream(
    send: Send, receive: Receive, status: int, headers: Mapping[str, str], parts: AsyncGenerator[bytes], ending: asyncio.Event
) -> None:
    """Send each part as it comes, until there are no more, the client is gone, or `ending` is set. The generator is closed in any case."""

    async def send_parts() -> None:
        async with aclosing(parts):
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})

    await send({"type": "http.response.start", "status": status, "headers": _lines(headers)})
    sending, *others = tasks = [asyncio.create_task(each) for each in (send_parts(), _disconnected(receive), ending.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with suppress(asyncio.CancelledError):
            await sending
    await send({"type": "http.response.body", "body": b""})


def _lines(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _discard(receive: Receive) -> None:
    while not (await _next_part(receive))[1]:
        pass


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    return message.get("body", b""), not message.get("more_body")
