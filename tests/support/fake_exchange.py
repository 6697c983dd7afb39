"""A server with the API of Binance.us: normal responses from a synthetic history, and faulty ones on demand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.json_rows import rows_from_candles
from tests.support.http_server import QuietHandler, Respond, response, serving
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

FIRST, STOP = date(2020, 1, 1), date(2020, 1, 4)
DAYS = [date(2020, 1, day) for day in (1, 2, 3)]
HISTORY = minutes(3 * 1440 + 300, missing=[0, 1, 1439, *range(2000, 2400), 4319], seed=3)
"""Three days and five hours, with missing minutes around midnight and a gap of almost seven hours."""
TOO_MANY_REQUESTS = json.dumps({"code": -1003, "msg": "Too much request weight used; current limit is 1200 request weight per 1 MINUTE."})
_MARKET = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "quoteAssetPrecision": 8,
    "orderTypes": ["LIMIT", "MARKET"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ],
    "permissions": ["SPOT"],
}


def market_information(symbol: str) -> dict[str, Any]:
    """A market against USDT, as in `exchangeInfo`."""
    return {**_MARKET, "symbol": symbol, "baseAsset": symbol.removesuffix("USDT")}


def expected_candles() -> Candles:
    """The candles that a complete download stores."""
    candles = HISTORY.between(None, START_MS + 3 * DAY_MS)
    return Candles("BTCUSDT", "1m", candles.open_time, candles.columns, candles.filled)


def klines_of(candles: Candles) -> list[Any]:
    """Candles in the format of the API, with its additional columns."""
    return [[*row, row[0] + MINUTE_MS - 1, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]  # type: ignore[operator]


class FakeBinanceUs:
    """Serves `exchangeInfo`, `time` and `klines`. Requests for klines first get the responses in `faults`, one each."""

    def __init__(self) -> None:
        self.url = ""
        self.rows = klines_of(HISTORY)
        self.other_rows: dict[tuple[str, str], list[Any]] = {}
        """The klines of some symbols and intervals, if they are not `rows`."""
        self.now_ms = int(HISTORY.open_time[-1]) + MINUTE_MS
        self.faults: list[Respond] = []
        self.queries: list[dict[str, str]] = []
        """The queries for klines."""

    @classmethod
    @contextmanager
    def running(cls, host: str = "127.0.0.1") -> Iterator["FakeBinanceUs"]:
        exchange = cls()

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                exchange.response_to(url.path.removeprefix("/api/v3/"), dict(parse_qsl(url.query)))(self)

        with serving(Handler, host) as exchange.url:
            yield exchange

    def response_to(self, path: str, query: dict[str, str]) -> Respond:
        match path:
            case "exchangeInfo":
                return response(json.dumps({"symbols": [market_information("BTCUSDT"), market_information("ETHUSDT")]}))
            case "time":
                return response(json.dumps({"serverTime": self.now_ms}))
            case "klines":
                self.queries.append(query)
                rows = self.other_rows.get((query["symbol"], query["interval"]))
                return self.faults.pop(0) if self.faults else self.page(int(query["startTime"]), rows)
        return response("Not Found", 404)

    def page(self, start_ms: int, rows: list[Any] | None = None) -> Respond:
        """The normal response to a query for klines."""
        rows = [row for row in (self.rows if rows is None else rows) if start_ms <= row[0] <= self.now_ms]
        return response(json.dumps(rows[:1000]))
