"""JSON layouts: the responses of data vendors, and exchanges that name the fields."""

from typing import Any

from tests.support.layout_rows import SYMBOL, Layout, Row, each, json_bytes

_GIVEN = {"symbol": SYMBOL, "interval": "1m"}


def _layout(source: str, shape: str, document: Any, name: str = "response.json", **more: Any) -> Layout:
    return Layout(source, shape, name, json_bytes(document), **{**_GIVEN, **more})


def _alpaca_bar(row: Row) -> dict[str, Any]:
    prices = {"o": row.open, "h": row.high, "l": row.low, "c": row.close}
    return {"t": row.text("%Y-%m-%dT%H:%M:%SZ"), **prices, "v": row.volume, "n": 9, "vw": row.vwap}


def _bitmex(row: Row) -> dict[str, Any]:
    prices = dict(zip(("open", "high", "low", "close"), row.ohlcv, strict=False))
    end = row.at.replace(second=0).timestamp() + 60
    stamp = type(row.at).fromtimestamp(end, row.at.tzinfo).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "timestamp": stamp,
        "symbol": "XBTUSDT",
        **prices,
        "trades": 9,
        "volume": round(row.volume * 1e6),
        "vwap": row.vwap,
        "lastSize": 1,
        "turnover": 1,
        "homeNotional": row.volume,
        "foreignNotional": row.quote,
    }


VENDOR_LAYOUTS = [
    _layout(
        "HTX",
        "amount is the volume",
        {
            "ch": "market.btcusdt.kline.1min",
            "status": "ok",
            "data": each(
                lambda row: {
                    "id": row.seconds,
                    "open": row.open,
                    "close": row.close,
                    "low": row.low,
                    "high": row.high,
                    "amount": row.volume,
                    "vol": row.quote,
                    "count": 9,
                },
                newest_first=True,
            ),
        },
    ),
    _layout("BitMEX", "close-stamped, contracts", each(_bitmex), noted="close times"),
    _layout("Gemini", "newest first", each(lambda row: [row.time, *row.ohlcv], newest_first=True)),
    _layout(
        "Bitstamp",
        "objects of text",
        {
            "data": {
                "ohlc": each(
                    lambda row: {
                        "timestamp": str(row.seconds),
                        "open": str(row.open),
                        "high": str(row.high),
                        "low": str(row.low),
                        "close": str(row.close),
                        "volume": str(row.volume),
                    }
                ),
                "pair": "BTC/USDT",
            }
        },
    ),
    _layout(
        "Alpaca",
        "bars by symbol",
        {
            "bars": {"BTC/USDT": each(_alpaca_bar)},
            "next_page_token": None,
        },
    ),
    _layout(
        "Alpaca",
        "two symbols",
        {"bars": {name: each(_alpaca_bar) for name in ("BTC/USDT", "ETH/USDT")}},
        rejected="2 series",
    ),
    _layout(
        "Polygon",
        "aggregates",
        {
            "ticker": "X:BTCUSDT",
            "results": each(
                lambda row: {
                    "v": row.volume,
                    "vw": row.vwap,
                    "o": row.open,
                    "c": row.close,
                    "h": row.high,
                    "l": row.low,
                    "t": row.time,
                    "n": 9,
                }
            ),
            "status": "OK",
        },
    ),
    _layout(
        "Hyperliquid",
        "t opens, T closes",
        each(
            lambda row: {
                "t": row.time,
                "T": row.close_time,
                "s": "BTC",
                "i": "1m",
                "o": str(row.open),
                "c": str(row.close),
                "h": str(row.high),
                "l": str(row.low),
                "v": str(row.volume),
                "n": 9,
            }
        ),
    ),
    _layout(
        "TradingView UDF",
        "columns",
        {
            "s": "ok",
            "t": each(lambda row: row.seconds),
            "o": each(lambda row: row.open),
            "h": each(lambda row: row.high),
            "l": each(lambda row: row.low),
            "c": each(lambda row: row.close),
            "v": each(lambda row: row.volume),
        },
    ),
]
