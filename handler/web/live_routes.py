"""`GET /live` and `GET /live/events`: the rows of the live store, and new ones as they are stored."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.interval import AnyInterval, interval_ms
from coinfarm.candles.symbol import AnySymbol
from coinfarm.errors import NotFound, Unavailable
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.serving.request import parse_request
from handler.server_routes import Route, ServerRequest, ServerResponse
from handler.web.live_documents import live_document

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_STREAMS = 50
_POLL_S = 0.5
_HEARTBEAT_S = 15
_RETRY_MS = 2000
_CORRECTION_MS = DAY_MS
"""How old a candle may be whose correction is still sent."""


class _SeriesQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    exchange: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    interval: AnyInterval
    symbol: AnySymbol

    @property
    def feed(self) -> LiveFeed:
        return LiveFeed(self.exchange, self.interval)


class _RowsQuery(_SeriesQuery):
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1500


class _EventsQuery(_SeriesQuery):
    after: Annotated[int, Field(ge=0)] = 0


class _Position(NamedTuple):
    """How far a client has read: the newest candle, and the newest correction. It is the id of an event."""

    open_time: int
    corrected_at: int

    @classmethod
    def of(cls, event_id: str) -> "_Position | None":
        open_time, _, corrected_at = event_id.partition("-")
        return cls(int(open_time), int(corrected_at)) if open_time.isdecimal() and corrected_at.isdecimal() else None

    def is_before(self, row: dict[str, Any]) -> bool:
        return self.open_time < row["open_time"] or self.corrected_at < (row["corrected_at"] or 0)

    def after(self, row: dict[str, Any]) -> "_Position":
        return _Position(max(self.open_time, row["open_time"]), max(self.corrected_at, row["corrected_at"] or 0))


class LiveRoutes:
    """The routes of one store."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._streams = 0

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        return {("GET", "/live"): self.get_live, ("GET", "/live/events"): self.get_events}

    async def get_live(self, request: ServerRequest) -> ServerResponse:
        """The newest rows of a series, oldest first; without a query, the series that the store has."""
        if not request.query:
            return _json({"series": await asyncio.to_thread(self._series)})
        query = parse_request(_RowsQuery, dict(request.query))
        return _json({"rows": await asyncio.to_thread(self._rows, query)})

    async def get_events(self, request: ServerRequest) -> ServerResponse:
        """Server-sent events `candle`: the rows of a series after the open time `after`, and rows that are corrected.

        A client that connects again with `Last-Event-ID` gets what it has missed.
        """
        query = parse_request(_EventsQuery, dict(request.query))
        if self._streams >= _MAX_STREAMS:
            raise Unavailable(f"{_MAX_STREAMS} clients follow live candles already: close some of them")
        resumed = _Position.of(request.headers.get("last-event-id", ""))
        position = resumed or _Position(query.after, int(time.time() * 1000))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return ServerResponse(self._events(query, position), "text/event-stream", 200, headers)

    async def _events(self, query: _EventsQuery, position: _Position) -> AsyncGenerator[bytes]:
        self._streams += 1
        try:
            yield f"retry: {_RETRY_MS}\n\n".encode()
            sent_at = time.monotonic()
            while True:
                for row in await asyncio.to_thread(self._after, query, position):
                    position = position.after(row)
                    data = json.dumps(live_document(query.feed, row))
                    yield f"id: {position.open_time}-{position.corrected_at}\nevent: candle\ndata: {data}\n\n".encode()
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
            for symbol in sorted(set(self._newest_day(feed)["symbol"].to_pylist())):
                found.append({"exchange": feed.exchange, "interval": feed.interval, "symbol": symbol})
        return found

    def _newest_day(self, feed: LiveFeed) -> "pa.Table":
        return self._store.read(feed, day_start_ms(self._store.days(feed)[-1]))

    def _rows(self, query: _RowsQuery) -> list[dict[str, Any]]:
        days = self._store.days(query.feed)
        if not days:
            raise NotFound(f"the live store has no candles of {query.exchange} at {query.interval}")
        start_ms = day_start_ms(days[-1]) - query.limit * interval_ms(query.interval)
        rows = self._store.read(query.feed, start_ms, symbols=[query.symbol])
        if not len(rows):
            raise NotFound(f"the live store has no recent candles of {query.symbol} at {query.interval} of {query.exchange}")
        return [live_document(query.feed, row) for row in rows.slice(max(0, len(rows) - query.limit)).to_pylist()]

    def _after(self, query: _EventsQuery, position: _Position) -> list[dict[str, Any]]:
        rows = self._store.read(query.feed, position.open_time - _CORRECTION_MS, symbols=[query.symbol]).to_pylist()
        return [row for row in rows if position.is_before(row)]


def _json(document: dict[str, Any]) -> ServerResponse:
    return ServerResponse(json.dumps(document).encode(), headers={"cache-control": "no-store"})
