"""Symbol and interval in the names of files, as sources and people name them."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple

from coinfarm.candles.interval import interval_name
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput


class SeriesHint(NamedTuple):
    """What a name says of the candles in its file; None where it says nothing."""

    symbol: str | None
    interval: str | None


_EXTENSIONS = re.compile(
    r"(\.(json|jsonl|ndjson|csv|tsv|txt|parquet|pq|feather|ftr|arrow|ipc|h5|hdf5?|zip|gz|zst|zstd|bz2|xz|dat|prn|log))+$",
    re.IGNORECASE,
)
_STORED = re.compile(r"(?:.*/)?symbol=(?P<symbol>[^/]+)/interval=(?P<interval>[^/]+)/[^/]+")
_WORDS = """
    kline klines candle candles ohlc ohlcv data history my test spot export price prices trades local binance bitstamp kraken coinbase
    bitfinex gemini okx bybit ftx gateio kucoin huobi htx bitget mexc poloniex cexio exmo deribit
"""
_WORDS_BEFORE = rf"(?:(?:{'|'.join(_WORDS.split())})[-_ ]+)*"
_FORMATS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # freqtrade: BTC_USDT-1h, BTC_USDT_USDT-1h-futures
        rf"{_WORDS_BEFORE}(?P<symbol>[A-Z0-9]+(?:[-_.][A-Z0-9]+)*?)[-_](?P<interval>\d{{1,4}}[smhdw])(?:-(?:futures|spot))?",
        # Binance's archive
        r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<interval>\d+[smhdw])-\d{4}-\d\d(?:-\d\d)?",
        # MetaTrader: BTCUSD_M1, BTCUSD_H4_201801010000_201812312300, BTCUSDM1
        r"(?P<symbol>[A-Z0-9.#]+?)_?(?P<metatrader>[MHD]\d{1,3})(?:_\d{8,12}_\d{8,12})?",
        # TradingView: BINANCE_BTCUSDT, 60; BITSTAMP_BTCUSD, 1D_0a1b2
        r"(?:[A-Z0-9]+_)?(?P<symbol>[A-Z0-9.!]+), ?(?P<minutes>\d{1,4}|\d?[DW])(?:_[0-9a-z]+)?(?: ?\(\d+\))?",
        # CryptoDataDownload: Bitstamp_BTCUSD_2018_minute, Binance_BTCUSDT_1h
        r"[A-Z]+_(?P<symbol>[A-Z0-9]{5,12})(?:_\d{4})?_(?P<interval>minute|hour|d|1h|1hr|1min|daily|hourly|day)",
        # Kaggle: btcusd_1-min_data, bitstampUSD_1-min_data_2012-01-01_to_2021-03-31
        r"(?P<symbol>[A-Z0-9]{5,12})_(?P<interval>1-min|1min)(?:_data.*)?",
        # Dukascopy: BTCUSD_Candlestick_1_M_BID_01.01.2018-31.01.2018, btcusd-m1-bid-2018-01-01-2018-02-01
        r"(?P<symbol>[A-Z0-9]+)_Candlestick_(?P<dukascopy>\d+_(?:M|Hour|D|H))_(?:BID|ASK)_.*",
        r"(?P<symbol>[A-Z0-9]+)-(?P<metatrader>[mhd]\d{1,2})-(?:bid|ask)-.*",
        # Kraken OHLCVT: XBTUSD_1, XBTUSD_1440
        r"(?P<symbol>[A-Z0-9]{5,12})_(?P<minutes>1|5|15|30|60|240|720|1440)",
        # words after the interval: BTCUSDT-1m-2020, BTCUSDT_1h_2019_2021
        rf"{_WORDS_BEFORE}(?P<symbol>[A-Z0-9]+(?:[-_][A-Z]+)?)[-_](?P<interval>\d{{1,4}}(?:m|h|d|min))[-_. ].*",
    )
)
_LOWER_CASE_WORDS = re.compile(r"(?:[a-z]+[-_ ])+(?=[A-Z0-9]*[A-Z])(?!\d+[HDM]$)")
"""The words in `good-BTCUSD-1m`; `btc-usdt-1m` and `btcusdt-1H` have none."""
_MONTHS = re.compile(r"\d+M")
_NOT_TRADES = re.compile(r"mark(?:[-_ ]?price\w*)?|index[-_ ]?price\w*|premium[-_ ]?index\w*|funding[-_ ]?rates?", re.IGNORECASE)
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "": 60_000}


def series_hint(file_name: str) -> SeriesHint:
    """What the name of a file says. The symbol is in its one spelling. Raises `CandleError` for candles that are not of trades."""
    if match := _STORED.fullmatch(file_name):
        return SeriesHint(match["symbol"], match["interval"])
    stem = _EXTENSIONS.sub("", PurePosixPath(file_name.replace("\\", "/")).name)
    if match := _LOWER_CASE_WORDS.match(stem):
        stem = stem[match.end() :]
    if match := re.search(rf"(?:^|[-_ ])({_NOT_TRADES.pattern})(?:$|[-_ ])", stem, re.IGNORECASE):
        raise CandleError(
            ErrorDetail("", f"the name says {match[1]}: such candles are not of trades and have no volume. Use those of the market")
        )
    for pattern in _FORMATS:
        if found := pattern.fullmatch(stem):
            interval = _interval(found)
            symbol = _symbol(found["symbol"])
            if symbol and (interval or "interval" not in found.re.groupindex):
                return SeriesHint(symbol, interval)
    return SeriesHint(None, None)


def interval_from_text(text: str) -> str | None:
    """`1h` for `60m`, `1hour`, `60`, `PT1H` and the like; None for what is no interval."""
    match = re.fullmatch(r"(?:PT?)?(\d{1,5})?[ _-]?(m|mins?|minutes?|h|hrs?|hours?|d|days?|s|sec|seconds?)?", text.strip(), re.IGNORECASE)
    words = {"minute": "1m", "hour": "1h", "hourly": "1h", "daily": "1d", "day": "1d", "d": "1d", "1d": "1d"}
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    if not match or not match[1]:
        return None
    unit = (match[2] or "").lower()[:1]
    length = int(match[1]) * (1000 if unit == "s" else _UNIT_MS[unit])
    try:
        return interval_name(length)
    except InvalidInput:
        return None


def _interval(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    if _MONTHS.fullmatch(groups.get("interval") or ""):
        return groups["interval"]  # months, which are not supported; `1m` is a minute
    if groups.get("interval"):
        return interval_from_text(groups["interval"]) or groups["interval"].lower()
    if groups.get("metatrader"):
        return interval_from_text(groups["metatrader"][1:] + groups["metatrader"][0])
    if groups.get("dukascopy"):
        number, unit = groups["dukascopy"].split("_")
        return interval_from_text(number + unit[0])
    minutes = groups.get("minutes") or ""
    return "1d" if minutes.upper() in ("D", "1D") else interval_from_text(f"{minutes}m") if minutes.isdigit() else None


def _symbol(text: str) -> str | None:
    try:
        return canonical_symbol(text.replace(".", "-"))
    except InvalidInput:
        return None
