"""`GET /exchange/symbols` and `GET /exchange/candles`: what the page needs from an exchange, at a bounded rate."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from coinfarm.candle_store.exchange import Exchange, Row
from coinfarm.candles.interval import AnyInterval, interval_ms
from coinfarm.errors import NotFound, Unavailable
from coinfarm.serving.request import ApiRequest, parse_request
from handler.server_routes import Route, ServerRequest, ServerResponse

_CANDLES = 1000
_MAX_PAGES = 20
_SYMBOLS_KEPT_S = 3600
_CANDLES_KEPT_S = 5
_MAX_KEPT = 200
_LONGEST_WAIT_S = 3


class _CandlesQuery(ApiRequest):
    symbol: Annotated[str, Field(min_length=1, max_length=64)]
    interval: AnyInterval


class ExchangeRoutes:
    """The routes of one exchange. One request at a time goes to it, and answers are kept for a while, so that pages cannot flood it."""

    def __init__(self, name: str, url: str | None = None) -> None:
        """Connects to nothing yet. Raises as `Exchange` for a name or URL that cannot be used."""
        self._name = name
        self._exchange = Exchange(name, url, self._wait)
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}

    def routes(self) -> dict[tuple[str, str], Route]:
        """By method and path."""
        return {("GET", "/exchange/symbols"): self.get_symbols, ("GET", "/exchange/candles"): self.get_candles}

    async def get_symbols(self, _: ServerRequest) -> ServerResponse:
        """The exchange's symbols, in ccxt's form."""
        return _json(await asyncio.to_thread(self._answer, ("symbols",), _SYMBOLS_KEPT_S, self._symbols))

    async def get_candles(self, request: ServerRequest) -> ServerResponse:
        """The newest closed candles of a symbol, in the format of `POST /candles`."""
        query = parse_request(_CandlesQuery, dict(request.query))
        key = (query.symbol.upper(), query.interval)
        return _json(await asyncio.to_thread(self._answer, key, _CANDLES_KEPT_S, lambda exchange: self._candles(exchange, query)))

    def _answer(self, key: tuple[str, ...], kept_s: float, ask: Callable[[Exchange], dict[str, Any]]) -> dict[str, Any]:
        with self._lock:
            asked_at, answer = self._kept.get(key, (0.0, None))
            if answer is not None and time.monotonic() - asked_at < kept_s:
                return answer
            answer = ask(self._exchange)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[key] = time.monotonic(), answer
            return answer

    def _wait(self, seconds: float, reason: str) -> None:
        """Wait before another attempt, unless that takes longer than a person would."""
        if seconds > _LONGEST_WAIT_S:
            raise Unavailable(f"{self._name} does not answer now: {reason}. Try again in {round(seconds)} s")
        time.sleep(seconds)

    def _symbols(self, exchange: Exchange) -> dict[str, Any]:
        return {"exchange": self._name, "symbols": exchange.markets()}

    def _candles(self, exchange: Exchange, query: _CandlesQuery) -> dict[str, Any]:
        market, interval = exchange.market(query.symbol), query.interval
        exchange.check_interval(interval)
        now_ms, step_ms = exchange.now_ms(), interval_ms(interval)
        rows = _pages(exchange, market, interval, now_ms - now_ms % step_ms - _CANDLES * step_ms)
        closed = [row for row in rows if row[0] + step_ms <= now_ms][-_CANDLES:]
        if not closed:
            raise NotFound(f"{self._name} has no recent candles of {market} at {interval}")
        return {"symbol": market, "interval": interval, "candles": closed}


def _pages(exchange: Exchange, market: str, interval: str, since_ms: int) -> list[Row]:
    """The candles from a time on, page by page."""
    rows: list[Row] = []
    for _ in range(_MAX_PAGES):
        page = exchange.page(market, interval, since_ms)
        rows += page
        if not page or len(rows) >= _CANDLES:
            break
        since_ms = int(page[-1][0]) + interval_ms(interval)
    return rows


def _json(document: dict[str, Any]) -> ServerResponse:
    return ServerResponse(json.dumps(document).encode(), headers={"cache-control": "no-store"})
