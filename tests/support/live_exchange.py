"""A server with the REST API and the websocket of Binance.us, whose clock runs from a past time on, faster if asked.

It has the current candle unfinished, and faults on demand: see `Faults`.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import WSMsgType, web

from coinfarm.candles.candles import Candles
from tests.support.fake_exchange import klines_of, market_information
from tests.support.synthetic_candles import MINUTE_MS


class Outage(NamedTuple):
    """From `start_ms` to `stop_ms` requests have this status; the websocket is closed too, unless `rest_only`."""

    start_ms: int
    stop_ms: int
    status: int = 503
    headers: Mapping[str, str] = {}
    rest_only: bool = False


@dataclass
class Faults:
    """What goes wrong, by the exchange's clock. A candle is `(symbol, open time)`."""

    outages: list[Outage] = field(default_factory=list)
    disconnects: list[int] = field(default_factory=list)
    """When all websocket connections are cut."""
    closes_each: bool = False
    """Every websocket connection is closed after its first candle."""
    unsent: set[tuple[str, int]] = field(default_factory=set)
    """Candles of which the websocket never says that they are closed."""
    early: set[tuple[str, int]] = field(default_factory=set)
    """Candles of which the websocket says that they are closed before they are."""
    late_ms: dict[tuple[str, int], int] = field(default_factory=dict)
    """How long after its close REST has neither a candle nor a later one."""
    corrections: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)
    """From when on a candle has another volume."""


class LiveExchange:
    """Serves the candles of each symbol, of one-minute intervals, up to the present of its clock.

    With `waits` the clock stands still until the first request.
    """

    def __init__(
        self, candles: Mapping[str, Candles], now_ms: int, *, speed: float = 1.0, faults: Faults | None = None, waits: bool = False
    ) -> None:
        self.faults = faults or Faults()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.url = ""
        self._rows = {symbol: {row[0]: row for row in klines_of(each)} for symbol, each in candles.items()}
        self._start_ms, self._speed = now_ms, speed
        self._started = time.monotonic()
        self._begun = asyncio.Event()
        if not waits:
            self._begun.set()
        self._sockets: dict[web.WebSocketResponse, set[str]] = {}

    @contextmanager
    def running(self, port: int = 0) -> "Iterator[LiveExchange]":
        """Serve on the port, or on a free one."""
        started, loop = threading.Event(), asyncio.new_event_loop()

        def run() -> None:
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(self._serve(port, started))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(self._task.cancel)
            thread.join(10)
            loop.close()

    def now_ms(self) -> int:
        if not self._begun.is_set():
            return self._start_ms
        return int(self._start_ms + (time.monotonic() - self._started) * 1000 * self._speed)

    def monotonic_at(self, time_ms: int) -> float:
        """`time.monotonic` when the clock shows `time_ms`."""
        return self._started + (time_ms - self._start_ms) / 1000 / self._speed

    async def _serve(self, port: int, started: threading.Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        app = web.Application()
        app.router.add_get("/api/v3/{path}", self._rest)
        app.router.add_get("/ws/{stream}", self._websocket)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        assert site._server is not None
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
        started.set()
        try:
            await self._play()
        finally:
            await runner.cleanup()

    async def _rest(self, request: web.Request) -> web.Response:
        path, query = request.match_info["path"], dict(request.query)
        self.requests.append((path, query))
        if not self._begun.is_set():
            self._started = time.monotonic()
            self._begun.set()
        if outage := self._outage():
            return web.json_response({"code": -1, "msg": "System is under maintenance."}, status=outage.status, headers=outage.headers)
        match path:
            case "exchangeInfo":
                return web.json_response({"symbols": [market_information(symbol) for symbol in self._rows]})
            case "time":
                return web.json_response({"serverTime": self.now_ms()})
            case "klines":
                start = int(query["startTime"])
                return web.json_response(self._page(query["symbol"], start, int(query.get("limit", 500))))
        return web.Response(status=404)

    def _page(self, symbol: str, start_ms: int, limit: int) -> list[list[Any]]:
        now_ms = self.now_ms()
        late = [time for (name, time), by_ms in self.faults.late_ms.items() if name == symbol and now_ms < time + MINUTE_MS + by_ms]
        times = [time for time in self._rows[symbol] if start_ms <= time <= now_ms and time < min(late, default=now_ms + 1)]
        return [self._row(symbol, time, min(1.0, (now_ms - time) / MINUTE_MS)) for time in times[:limit]]

    def _outage(self) -> Outage | None:
        return next((each for each in self.faults.outages if each.start_ms <= self.now_ms() < each.stop_ms), None)

    def _row(self, symbol: str, open_time: int, share: float) -> list[Any]:
        """The candle as it is when this share of its time has passed."""
        row = list(self._rows[symbol][open_time])
        if share < 1:  # flat, so that nobody can take it for the closed one
            row[2:6] = [row[1], row[1], row[1], "0.001"]
            return row
        at_ms, volume = self.faults.corrections.get((symbol, open_time), (None, ""))
        if at_ms is not None and self.now_ms() >= at_ms:
            row[5] = volume
        return row

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        outage = self._outage()
        if outage and not outage.rest_only:
            return web.Response(status=outage.status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = set()
        self.connections += 1
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    body = json.loads(message.data)
                    self._sockets[socket] |= set(body["params"])
                    await socket.send_json({"result": None, "id": body["id"]})
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _play(self) -> None:
        """Send every candle: four times while it is open, and once when it is closed."""
        await self._begun.wait()
        minute = self.now_ms() // MINUTE_MS * MINUTE_MS
        cuts = sorted([*self.faults.disconnects, *(each.start_ms for each in self.faults.outages if not each.rest_only)])
        while True:
            for share in (0.02, 0.25, 0.5, 0.75, 1.0):
                await asyncio.sleep(max(0.0, self.monotonic_at(minute + int(share * MINUTE_MS)) - time.monotonic()))
                for symbol in self._rows:
                    await self._send(symbol, minute, share)
                while cuts and cuts[0] <= self.now_ms():
                    cuts.pop(0)
                    for socket in list(self._sockets):
                        socket._req.transport.abort()  # type: ignore[union-attr]
            minute += MINUTE_MS

    async def _send(self, symbol: str, open_time: int, share: float) -> None:
        if open_time not in self._rows[symbol] or (share == 1 and (symbol, open_time) in self.faults.unsent):
            return
        row = self._row(symbol, open_time, share)
        is_closed = share == 1 or (symbol, open_time) in self.faults.early
        kline = {"t": row[0], "T": row[6], "s": symbol, "i": "1m", **dict(zip("ohlcv", row[1:6], strict=True)), "x": is_closed}
        message = json.dumps({"e": "kline", "E": self.now_ms(), "s": symbol, "k": kline})
        for socket, streams in list(self._sockets.items()):
            if f"{symbol.lower()}@kline_1m" in streams:
                with suppress(ConnectionError, RuntimeError):
                    await socket.send_str(message)
                    if self.faults.closes_each:
                        await socket.close()
