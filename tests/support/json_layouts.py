"""JSON layouts: klines, and what tools write."""

import gzip
import json
from typing import Any

from tests.support.layout_rows import ROWS, SYMBOL, Layout, Row, each, json_bytes, texts

_GIVEN = {"symbol": SYMBOL, "interval": "1m"}
_NAMES = ("open_time", "open", "high", "low", "close", "volume")


def _records(names: tuple[str, ...] = _NAMES) -> list[dict[str, Any]]:
    return each(lambda row: dict(zip(names, (row.time, *row.ohlcv), strict=True)))


def _kline(row: Row) -> list[Any]:
    return [row.time, *texts(row.ohlcv), row.close_time, str(row.quote), 9, "0.1", "10.0", "0"]


def _layout(source: str, shape: str, document: Any, name: str = "response.json", **more: Any) -> Layout:
    return Layout(source, shape, name, json_bytes(document), **{**_GIVEN, **more})


JSON_LAYOUTS = [
    _layout("Binance", "klines", each(_kline), "klines-BTCUSDT-1m.json"),
    _layout("Binance", "klines, cut to six fields, newest first", each(lambda row: _kline(row)[:6], newest_first=True)),
    _layout("Binance", "error response", {"code": -1121, "msg": "Invalid symbol."}, rejected="Invalid symbol"),
    _layout("ccxt", "fetch_ohlcv", each(lambda row: [row.time, *row.ohlcv])),
    Layout("freqtrade", "json.gz", "BTC_USDT-1m.json.gz", gzip.compress(json_bytes(each(lambda row: [row.time, *row.ohlcv])))),
    Layout("freqtrade", "futures, json", "BTC_USDT_USDT-1m-futures.json", json_bytes(each(lambda row: [row.time, *row.ohlcv]))),
    Layout("freqtrade", "mark price", "BTC_USDT_USDT-8h-mark.json", json_bytes(each(lambda row: [row.time, *row.ohlcv])), rejected="mark"),
    _layout("Coinfarm", "the body of a request", {"symbol": SYMBOL, "interval": "1m", "candles": each(_kline)}, symbol=None, interval=None),
    _layout("pandas", "orient=records", _records()),
    _layout("pandas", "orient=records, timestamp", _records(("timestamp", *_NAMES[1:]))),
    _layout(
        "pandas",
        "orient=split",
        {"columns": list(_NAMES[1:]), "index": each(lambda row: row.time), "data": each(lambda row: list(row.ohlcv))},
    ),
    _layout(
        "pandas",
        "orient=columns",
        {
            name: {str(row.time): value for row, value in zip(ROWS, each(lambda row, at=at: row.ohlcv[at]), strict=True)}
            for at, name in enumerate(_NAMES[1:])
        },
    ),
    _layout("pandas", "orient=index", {str(row.time): dict(zip(_NAMES[1:], row.ohlcv, strict=True)) for row in ROWS}),
    Layout("JSON lines", "objects", "BTCUSDT-1m.jsonl", b"\n".join(json.dumps(record).encode() for record in _records())),
    Layout("JSON lines", "arrays", "BTCUSDT-1m.ndjson", b"\n".join(json.dumps(_kline(row)).encode() for row in ROWS)),
    _layout("JSON", "cut off", None, rejected="cut off"),
]
JSON_LAYOUTS[-1] = Layout("JSON", "cut off", "BTCUSDT-1m.json", json_bytes(each(_kline))[:-700], rejected="cut off")
