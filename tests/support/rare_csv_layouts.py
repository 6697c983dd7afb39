"""CSV layouts of further sources and of people's tables: what a reader must take, and what it must not believe."""

import gzip

from tests.support.layout_rows import SYMBOL, Layout, csv_bytes, each, zip_bytes

_GIVEN = {"symbol": SYMBOL, "interval": "1m"}
_NAMES = "open_time,open,high,low,close,volume"
_STANDARD = csv_bytes(each(lambda row: (row.time, *row.ohlcv)), _NAMES)
_OTHER_MARKET = ",".join(f"ETHUSDT · Binance: {name}" for name in ("open", "high", "low", "close"))

RARE_CSV_LAYOUTS = [
    Layout(
        "CryptoDataDownload",
        "volumes that are exchanged",
        "Binance_BTCUSDT_1m.csv",
        csv_bytes(
            each(lambda row: (row.time, row.text(), SYMBOL, *row.ohlcv[:4], row.quote, row.volume)),
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT",
        ),
        rejected="turnover",
    ),
    Layout(
        "TradingView",
        "another market beside it",
        "BINANCE_BTCUSDT, 1.csv",
        csv_bytes(
            each(lambda row: (row.seconds, *row.ohlcv, *(price / 10 for price in row.ohlcv[:4]))),
            f"time,open,high,low,close,Volume,{_OTHER_MARKET}",
        ),
    ),
    Layout(
        "MetaTrader 5",
        "copy_rates of Python",
        "BTCUSDT_M1.csv",
        csv_bytes(
            each(lambda row: (row.seconds + 7200, *row.ohlcv[:4], 9, 5, row.volume)),
            "time,open,high,low,close,tick_volume,spread,real_volume",
        ),
        timezone="Europe/Athens",
    ),
    Layout(
        "MetaTrader 4",
        "with a header, without --timezone",
        "BTCUSDT1.csv",
        csv_bytes(each(lambda row: (row.text("%Y.%m.%d"), row.text("%H:%M"), *row.ohlcv)), "Date,Time,Open,High,Low,Close,Volume"),
        **_GIVEN,
        rejected="--timezone",
    ),
    Layout(
        "Stooq",
        "times without colons",
        "btcusdt-1m.txt",
        csv_bytes(
            each(lambda row: ("BTC.V", 1, row.text("%Y%m%d"), row.text("%H%M%S"), *row.ohlcv, 0)),
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        ),
    ),
    Layout(
        "HistData",
        "no header",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.text("%Y%m%d %H%M%S"), *row.ohlcv)), delimiter=";"),
    ),
    Layout(
        "yfinance",
        "another ticker",
        "BTCUSD-1m.csv",
        csv_bytes(
            each(lambda row: (row.text("%Y-%m-%d %H:%M:%S+00:00"), *(row.ohlcv[at] for at in (3, 1, 2, 0, 4)))),
            before="Price,Close,High,Low,Open,Volume\nTicker,ETH-USD,ETH-USD,ETH-USD,ETH-USD,ETH-USD\nDatetime,,,,,\n",
        ),
        rejected="ETH",
    ),
    Layout(
        "Kraken OHLCVT",
        "zip of all intervals",
        "Kraken_OHLCVT.zip",
        zip_bytes({"XBTUSD_1.csv": b"1", "XBTUSD_5.csv": b"1"}),
        rejected="one file",
    ),
    Layout(
        "Binance archive",
        "trades",
        "BTCUSDT-trades-2024-01.csv",
        csv_bytes(each(lambda row: (9, row.open, row.volume, row.quote, row.time, "true", "true"))),
        **_GIVEN,
        rejected="not a time",
    ),
    Layout(
        "CSV",
        "dollar signs",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *(f"${price}" for price in row.ohlcv[:4]), row.volume)), _NAMES),
    ),
    Layout(
        "CSV",
        "units behind numbers",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *(f"{price} USD" for price in row.ohlcv[:4]), f"{row.volume} BTC")), _NAMES),
    ),
    Layout(
        "CSV",
        "thousands as 0.01K, quoted",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *(f'"€{price:,.8f}"' for price in row.ohlcv[:4]), f"{row.volume / 1000:.12f}K")), _NAMES),
    ),
    Layout(
        "CSV",
        "another coin in a column",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *row.ohlcv, "ETH")), f"{_NAMES},asset"),
        rejected="ETH",
    ),
    Layout(
        "CSV",
        "only the turnover",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *row.ohlcv[:4], row.quote)), "time,open,high,low,close,Volume USDT"),
        rejected="no column volume",
    ),
    Layout(
        "CSV",
        "times that a spreadsheet rounded",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (f"{row.time:.5E}", *row.ohlcv)), _NAMES),
        rejected="different candles",
    ),
    Layout(
        "CSV",
        "seconds and milliseconds mixed",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time if row.time % 180_000 else row.seconds, *row.ohlcv)), _NAMES),
    ),
    Layout("CSV", "gzip in a zip", "BTCUSDT-1m.zip", zip_bytes({"a.csv.gz": gzip.compress(_STANDARD)})),
    Layout(
        "CSV",
        "close times first",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time + 60_000, *row.ohlcv, row.time))),
        rejected="confirm",
    ),
]
