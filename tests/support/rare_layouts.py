"""JSON layouts of further exchanges and vendors, and answers of theirs that are not candles of trades."""

from datetime import timedelta
from typing import Any

from tests.support.layout_rows import SYMBOL, Layout, Row, each, json_bytes, texts

_GIVEN = {"symbol": SYMBOL, "interval": "1m"}


def _json(source: str, shape: str, document: Any, **more: Any) -> Layout:
    return Layout(source, shape, "response.json", json_bytes(document), **{**_GIVEN, **more})


def _ohlc(row: Row) -> dict[str, float]:
    return dict(zip(("open", "high", "low", "close"), row.ohlcv, strict=False))


def _stream(row: Row) -> dict[str, Any]:
    prices = {name: str(value) for name, value in zip("ohlcv", row.ohlcv, strict=True)}
    return {"t": row.time, "T": row.close_time, "s": SYMBOL, "i": "1m", "f": 1, "L": 2, **prices, "n": 9, "V": "0.5", "Q": "1", "B": "0"}


def _coinapi(row: Row) -> dict[str, Any]:
    times = {"time_period_start": row.at, "time_period_end": row.at + timedelta(minutes=1), "time_open": row.at + timedelta(seconds=3)}
    stamps = {name: f"{time:%Y-%m-%dT%H:%M:%S}.0000000Z" for name, time in times.items()}
    return {**stamps, **{f"price_{name}": price for name, price in _ohlc(row).items()}, "volume_traded": row.volume, "trades_count": 9}


def _upbit(row: Row) -> dict[str, Any]:
    prices = dict(zip(("opening_price", "high_price", "low_price", "trade_price"), row.ohlcv, strict=False))
    times = {"candle_date_time_utc": row.text("%Y-%m-%dT%H:%M:%S"), "timestamp": row.time + 59_123}
    return {"market": "USDT-BTC", **times, **prices, "candle_acc_trade_price": row.quote, "candle_acc_trade_volume": row.volume}


RARE_LAYOUTS = [
    _json("Binance", "objects of the stream", each(_stream)),
    _json("Bybit", "mark price", each(lambda row: [str(row.time), *texts(row.ohlcv[:4])]), rejected="six fields"),
    _json("OKX", "mark price", each(lambda row: [str(row.time), *texts(row.ohlcv[:4]), "1"]), rejected="every volume is 1"),
    _json(
        "Gate",
        "spot, the last unfinished",
        [
            *each(lambda row: [str(row.seconds), str(row.quote), *texts((row.close, row.high, row.low, row.open, row.volume)), "true"]),
            ["1704157200", "9", "8030", "8040", "8000", "8020", "1", "false"],
        ],
        noted="1 unfinished",
    ),
    _json(
        "Gate",
        "futures, contracts",
        each(
            lambda row: (
                {"t": row.seconds, "v": round(row.volume * 1e5), "o": row.open, "h": row.high, "l": row.low, "c": row.close}
                | {"sum": row.quote}
            )
        ),
        rejected="1e-05 coins each",
    ),
    _json(
        "HTX futures",
        "contracts, coins and turnover",
        each(
            lambda row: (
                {"id": row.seconds, **_ohlc(row), "amount": row.volume, "vol": round(row.volume * 1e3), "trade_turnover": row.quote}
                | {"count": 9}
            )
        ),
        noted="contracts",
    ),
    _json(
        "HTX",
        "hours that are asked for as minutes",
        {
            "ch": "market.btcusdt.kline.60min",
            "data": each(lambda row: {"id": row.seconds, **_ohlc(row), "amount": 1, "vol": 1, "count": 9}),
        },
        rejected="1h candles",
    ),
    _json(
        "Deribit",
        "columns",
        {
            "result": {name: each(lambda row, name=name: getattr(row, name)) for name in ("open", "high", "low", "close", "volume")}
            | {"ticks": each(lambda row: row.time), "cost": each(lambda row: row.quote), "status": "ok"}
        },
    ),
    _json(
        "CryptoCompare",
        "volumefrom and volumeto",
        {
            "Response": "Success",
            "Data": {"Data": each(lambda row: {"time": row.seconds, **_ohlc(row), "volumefrom": row.volume, "volumeto": row.quote})},
        },
    ),
    _json(
        "Cryptowatch",
        "close-stamped",
        {"result": {"60": each(lambda row: [row.seconds + 60, *row.ohlcv, row.quote])}},
        rejected="close time",
    ),
    _json(
        "dYdX",
        "v4, newest first",
        {
            "candles": each(
                lambda row: (
                    {"startedAt": row.text("%Y-%m-%dT%H:%M:%S.000Z"), "ticker": "BTC-USD", "resolution": "1MIN"}
                    | {name: str(value) for name, value in _ohlc(row).items()}
                    | {"baseTokenVolume": str(row.volume), "usdVolume": str(row.quote), "trades": 9}
                ),
                newest_first=True,
            )
        },
    ),
    _json("CoinAPI", "periods", each(_coinapi)),
    _json("CoinGecko", "no volume", each(lambda row: [row.time, *row.ohlcv[:4]]), rejected="six fields"),
    _json("Upbit", "newest first", each(_upbit, newest_first=True)),
    _json(
        "Twelve Data",
        "newest first",
        {
            "meta": {"symbol": "BTC/USDT", "interval": "1min"},
            "values": each(
                lambda row: {"datetime": row.text(), **{name: str(value) for name, value in _ohlc(row).items()}, "volume": row.volume},
                newest_first=True,
            ),
        },
    ),
    _json("Hyperliquid", "another coin", each(lambda row: _stream(row) | {"s": "ETH"}), rejected="ETH"),
]
