"""`GET /live` and `GET /live/events`: the rows of the live store, and new ones as they are stored."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.interval import AnyInterval, interval_ms
from coinfarm.candles.symbol import AnySymbol
from coinfarm.errors import CoinfarmError, NotFound, Unavailable
from coinfarm.live.live_message import live_messages
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.serving.request import ApiRequest, parse_request
from handler.server_routes import Route, ServerRequest, ServerResponse
from handler.telemetry import report_error

if TYPE_CHECKING:
    import pyarrow as pa

Message = dict[str, Any]

_MAX_ROWS = 10_000
_MAX_STREAMS = 50
_POLL_S = 0.5
_HEARTBEAT_S = 15
_RETRY_MS = 2000
_CORRECTION_MS = DAY_MS
"""How old a candle may be whose correction is still sent."""


@dataclass(frozen=True)
class _Position:
    """How far a client has read: the newest candle, and the newest correction. It is the id of an event."""

    PATTERN: ClassVar[str] = r"^\d{1,15}-\d{1,15}$"
    open_time: int = 0
    corrected_at: int = 0

    @classmethod
    def of(cls, event_id: str | None) -> "_Position | None":
        return cls(*map(int, event_id.split("-"))) if event_id and re.match(cls.PATTERN, event_id) else None

    def after(self, messages: Iterable[Message]) -> "_Position":
        candles = [message["candle"] for message in messages]
        open_time = max([self.open_time, *(candle["openTime"] for candle in candles)])
        return _Position(open_time, max([self.corrected_at, *(candle["correctedAt"] or 0 for candle in candles)]))

    def __str__(self) -> str:
        return f"{self.open_time}-{self.corrected_at}"


class _SeriesQuery(ApiRequest):
    exchange: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    interval: AnyInterval
    symbol: AnySymbol

    @property
    def feed(self) -> LiveFeed:
        return LiveFeed(self.exchange, self.interval)


class _RowsQuery(_SeriesQuery):
    limit: Annotated[int, Field(ge=1, le=_MAX_ROWS)] = 1500


class _EventsQuery(_SeriesQuery):
    after: Annotated[str | None, Field(pattern=_Position.PATTERN)] = None


class _NewestDays(NamedTuple):
    """The rows of the last day of a feed, which began at `day_ms`, and of the day before; read at `read_at`, as of `time.monotonic`."""

    read_at: float
    day_ms: int
    rows: "pa.Table"


class LiveRoutes:
    """The routes of one store."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._streams = 0
        self._lock = threading.Lock()
        self._kept: dict[LiveFeed, _NewestDays] = {}

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        return {("GET", "/live"): self.get_live, ("GET", "/live/events"): self.get_events}

    async def get_live(self, request: ServerRequest) -> ServerResponse:
        """The newest rows of a series, oldest first, and the position after them; without a query, the series that the store has."""
        if not request.query:
            return _json({"series": await asyncio.to_thread(self._series)})
        query = parse_request(_RowsQuery, dict(request.query))
        rows = await asyncio.to_thread(self._rows, query, query.limit)
        return _json({"rows": rows, "position": str(_Position().after(rows))})

    async def get_events(self, request: ServerRequest) -> ServerResponse:
        """Server-sent events `candle`: the rows of a series that are new or corrected since the position `after`, by default since now.

        A client that connects again with `Last-Event-ID` gets what it has missed.
        """
        query = parse_request(_EventsQuery, dict(request.query))
        position = _Position.of(request.headers.get("last-event-id")) or _Position.of(query.after)
        if position is None:
            position = _Position().after(await asyncio.to_thread(self._rows, query))
        if self._streams >= _MAX_STREAMS:
            raise Unavailable(f"{_MAX_STREAMS} clients follow live candles already: close some of them")
        events = self._events(query, position)
        await anext(events)  # begins it at once, so that it counts
        return ServerResponse(events, "text/event-stream", 200, {"cache-control": "no-store", "x-accel-buffering": "no"})

    async def _events(self, query: _EventsQuery, position: _Position) -> AsyncGenerator[bytes]:
        self._streams += 1
        try:
            yield b""
            yield f"retry: {_RETRY_MS}\n\n".encode()
            sent_at, is_readable = time.monotonic(), True
            while True:
                messages: list[Message] = []
                try:
                    messages = await asyncio.to_thread(self._after, query, position)
                    is_readable = True
                except CoinfarmError as error:  # the store may be repaired
                    if is_readable:
                        report_error(error)
                    is_readable = False
                position = position.after(messages)
                for left, message in zip(range(len(messages))[::-1], messages, strict=True):
                    event_id = "" if left else f"id: {position}\n"  # after the last one: then the client has all before it
                    yield f"{event_id}event: candle\ndata: {json.dumps(message)}\n\n".encode()
                    sent_at = time.monotonic()
                if time.monotonic() - sent_at > _HEARTBEAT_S:
                    yield b": still here\n\n"
                    sent_at = time.monotonic()
                await asyncio.sleep(_POLL_S)
        finally:
            self._streams -= 1

    def _series(self) -> list[dict[str, str]]:
        found = []
        for feed in self._store.feeds():
            newest = self._store.read(feed, day_start_ms(self._store.days(feed)[-1]))
            symbols = sorted(set(newest["symbol"].to_pylist()))
            found += [{"exchange": feed.exchange, "interval": feed.interval, "symbol": symbol} for symbol in symbols]
        return found

    def _rows(self, query: _SeriesQuery, limit: int = 1) -> list[Message]:
        rows = self._store.read(query.feed, self._start_ms(query, limit), symbols=[query.symbol])
        if not len(rows):
            raise NotFound(f"the live store has no recent candles of {query.symbol} at {query.interval} of {query.exchange}")
        return list(live_messages(query.feed, rows.slice(max(0, len(rows) - limit))))

    def _after(self, query: _EventsQuery, position: _Position) -> list[Message]:
        import pyarrow.compute as pc

        newest = self._newest(query.feed)
        oldest_ms = newest.day_ms - _MAX_ROWS * interval_ms(query.interval)
        start_ms = max(position.open_time - _CORRECTION_MS, oldest_ms)
        rows = newest.rows if start_ms >= newest.day_ms - DAY_MS else self._store.read(query.feed, start_ms, symbols=[query.symbol])
        is_new = (pc.field("open_time") > position.open_time) | (pc.field("corrected_at") > position.corrected_at)
        is_asked_for = (pc.field("symbol") == query.symbol) & (pc.field("open_time") >= start_ms)
        return list(live_messages(query.feed, rows.filter(is_asked_for & is_new)))

    def _newest(self, feed: LiveFeed) -> _NewestDays:
        """Read at most twice in the time after which a client asks again, however many clients there are."""
        with self._lock:
            kept = self._kept.get(feed)
            if kept is None or time.monotonic() - kept.read_at > _POLL_S / 2:
                days = self._store.days(feed)
                day_ms = day_start_ms(days[-1]) if days else 0
                kept = _NewestDays(time.monotonic(), day_ms, self._store.read(feed, day_ms - DAY_MS))
                self._kept = {**self._kept, feed: kept} if days else self._kept
            return kept

    def _start_ms(self, query: _SeriesQuery, candles: int) -> int:
        """When so many candles before the newest day opened."""
        days = self._store.days(query.feed)
        return day_start_ms(days[-1]) - candles * interval_ms(query.interval) if days else 0


def _json(document: dict[str, Any]) -> ServerResponse:
    return ServerResponse(json.dumps(document).encode(), headers={"cache-control": "no-store"})
