"""A server with the API of Binance.us: normal responses from a synthetic history, and faulty ones on demand."""

import json
import threading
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.json_rows import rows_from_candles
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
Respond = Callable[[BaseHTTPRequestHandler], None]


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
        self.rows = klines_of(HISTORY)
        self.now_ms = int(HISTORY.open_time[-1]) + MINUTE_MS
        self.faults: list[Respond] = []
        self.queries: list[dict[str, str]] = []
        """The queries for klines."""
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = dict(parse_qsl(url.query))
                match url.path.removeprefix("/api/v3/"):
                    case "exchangeInfo":
                        response(json.dumps({"symbols": [_MARKET, {**_MARKET, "symbol": "ETHUSDT", "baseAsset": "ETH"}]}))(self)
                    case "time":
                        response(json.dumps({"serverTime": exchange.now_ms}))(self)
                    case "klines":
                        exchange.queries.append(query)
                        (exchange.faults.pop(0) if exchange.faults else exchange.page(int(query["startTime"])))(self)
                    case _:
                        response("Not Found", 404)(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def page(self, start_ms: int) -> Respond:
        """The normal response to a query for klines."""
        rows = [row for row in self.rows if start_ms <= row[0] <= self.now_ms]
        return response(json.dumps(rows[:1000]))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def response(body: str, status: int = 200, *, sent_bytes: int | None = None, **headers: str) -> Respond:
    """Send a response; with `sent_bytes`, close the connection after that many bytes of the body."""

    def send(request: BaseHTTPRequestHandler) -> None:
        data = body.encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data[:sent_bytes])
        if sent_bytes is not None:
            request.close_connection = True

    return send


def disconnect(request: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    request.close_connection = True
