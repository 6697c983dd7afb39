"""A stand-in for Binance.us with what freqtrade asks of it: markets, the clock, candles until now, and prices."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from tests.support.http_server import QuietHandler, Respond, response, serving

_MINUTE_MS = 60_000
_FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    {"filterType": "NOTIONAL", "minNotional": "1"},
]


class StandInExchange:
    """Serves the 1-minute candles of each market, `BTCUSDT`, that have begun. The last one is unfinished."""

    def __init__(self, markets: Mapping[str, Candles]) -> None:
        self.url = ""
        self._rows = {symbol: _klines(candles) for symbol, candles in markets.items()}

    @classmethod
    @contextmanager
    def running(cls, markets: Mapping[str, Candles]) -> Iterator["StandInExchange"]:
        exchange = cls(markets)

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                exchange._response_to(url.path.rpartition("/v3/")[2], dict(parse_qsl(url.query)))(self)

        with serving(Handler) as exchange.url:
            yield exchange

    def config(self) -> dict[str, Any]:
        """The part `exchange` of a freqtrade config, for this server instead of the exchange's."""
        urls = {"api": dict.fromkeys(("public", "private", "web"), f"{self.url}/api/v3")}
        return {"name": "binanceus", "enable_ws": False, "ccxt_config": {"urls": urls}, "pair_whitelist": list(map(_pair, self._rows))}

    def _response_to(self, path: str, query: dict[str, str]) -> Respond:
        now_ms = int(time.time() * 1000)
        match path:
            case "exchangeInfo":
                return response(json.dumps({"symbols": list(map(_market, self._rows))}))
            case "time":
                return response(json.dumps({"serverTime": now_ms}))
            case "klines":
                begun = [row for row in self._rows[query["symbol"]] if int(query.get("startTime", 0)) <= row[0] <= now_ms]
                limit = int(query.get("limit", 500))
                return response(json.dumps(begun[:limit] if "startTime" in query else begun[-limit:]))
            case "ticker/bookTicker" | "ticker/24hr":
                found = [self._ticker(symbol, now_ms) for symbol in self._rows if query.get("symbol") in (None, symbol)]
                return response(json.dumps(found[0] if "symbol" in query else found))
            case "depth":
                price = self._price(query["symbol"], now_ms)
                return response(json.dumps({"lastUpdateId": 1, "bids": [[price, "1000"]], "asks": [[price, "1000"]]}))
        return response("Not Found", 404)

    def _ticker(self, symbol: str, now_ms: int) -> dict[str, Any]:
        price = self._price(symbol, now_ms)
        prices = dict.fromkeys(("bidPrice", "askPrice", "lastPrice", "openPrice", "highPrice", "lowPrice"), price)
        return {"symbol": symbol, **prices, "bidQty": "1000", "askQty": "1000", "volume": "1", "quoteVolume": "1", "closeTime": now_ms}

    def _price(self, symbol: str, now_ms: int) -> str:
        return str(next(row[4] for row in reversed(self._rows[symbol]) if row[0] <= now_ms))


def _klines(candles: Candles) -> list[Any]:
    return [[*row, row[0] + _MINUTE_MS - 1, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]  # type: ignore[operator]


def _pair(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}/USDT"


def _market(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _FILTERS,
        "permissions": ["SPOT"],
    }
