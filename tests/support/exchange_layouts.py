"""JSON layouts: the responses of exchanges."""

from typing import Any

from tests.support.layout_rows import SYMBOL, Layout, each, json_bytes, texts

_GIVEN = {"symbol": SYMBOL, "interval": "1m"}


def _layout(source: str, shape: str, document: Any, name: str = "response.json", **more: Any) -> Layout:
    return Layout(source, shape, name, json_bytes(document), **{**_GIVEN, **more})


EXCHANGE_LAYOUTS = [
    _layout(
        "Coinbase Exchange",
        "time, low, high, open, close, volume",
        each(lambda row: [row.seconds, row.low, row.high, row.open, row.close, row.volume], newest_first=True),
    ),
    _layout(
        "Coinbase Advanced",
        "objects of text",
        {
            "candles": each(
                lambda row: {
                    "start": str(row.seconds),
                    "low": str(row.low),
                    "high": str(row.high),
                    "open": str(row.open),
                    "close": str(row.close),
                    "volume": str(row.volume),
                },
                newest_first=True,
            )
        },
    ),
    _layout(
        "Kraken",
        "OHLC",
        {
            "error": [],
            "result": {"XBTUSDT": each(lambda row: [row.seconds, *texts(row.ohlcv[:4]), str(row.vwap), str(row.volume), 7]), "last": 1},
        },
    ),
    _layout("Kraken", "rows only, in milliseconds", each(lambda row: [row.time, *texts(row.ohlcv[:4]), str(row.vwap), str(row.volume), 7])),
    _layout(
        "Bitfinex", "newest first", each(lambda row: [row.time, row.open, row.close, row.high, row.low, row.volume], newest_first=True)
    ),
    _layout(
        "OKX",
        "candles, the last unfinished",
        {
            "code": "0",
            "msg": "",
            "data": [
                ["1704157200000", "1", "2", "1", "2", "3", "3", "6", "0"],
                *each(lambda row: [str(row.time), *texts(row.ohlcv), str(row.quote), str(row.quote), "1"], newest_first=True),
            ],
        },
        noted="1 unfinished",
    ),
    _layout(
        "OKX",
        "contracts",
        {
            "code": "0",
            "data": each(
                lambda row: [str(row.time), *texts(row.ohlcv[:4]), str(row.volume * 100), str(row.volume), str(row.quote), "1"],
                newest_first=True,
            ),
        },
        noted="contracts",
    ),
    _layout(
        "Bybit",
        "v5",
        {
            "retCode": 0,
            "retMsg": "OK",
            "result": {
                "category": "spot",
                "symbol": SYMBOL,
                "list": each(lambda row: [str(row.time), *texts(row.ohlcv), str(row.quote)], newest_first=True),
            },
        },
    ),
    _layout(
        "KuCoin",
        "spot",
        {
            "code": "200000",
            "data": each(
                lambda row: [str(row.seconds), *texts((row.open, row.close, row.high, row.low, row.volume)), str(row.quote)],
                newest_first=True,
            ),
        },
    ),
    _layout(
        "KuCoin futures",
        "volume in contracts",
        {"code": "200000", "data": each(lambda row: [row.time, *row.ohlcv[:4], row.volume * 1000, row.quote])},
        rejected="confirm",
    ),
    _layout(
        "Gate",
        "spot",
        each(lambda row: [str(row.seconds), str(row.quote), *texts((row.close, row.high, row.low, row.open, row.volume)), "true"]),
    ),
    _layout(
        "Gate",
        "futures, objects",
        each(
            lambda row: {
                "t": row.seconds,
                "v": row.volume,
                "c": str(row.close),
                "h": str(row.high),
                "l": str(row.low),
                "o": str(row.open),
                "sum": str(row.quote),
            }
        ),
    ),
    _layout(
        "Bitget", "v2", {"code": "00000", "data": each(lambda row: [str(row.time), *texts(row.ohlcv), str(row.quote), str(row.quote)])}
    ),
    _layout("MEXC", "eight fields", each(lambda row: [row.time, *texts(row.ohlcv), row.close_time, str(row.quote)])),
]
