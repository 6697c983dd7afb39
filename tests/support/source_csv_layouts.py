"""CSV layouts of sources."""

from tests.support.layout_rows import ROWS, SYMBOL, Layout, csv_bytes, each, zip_bytes

_NAMES = "open_time,open,high,low,close,volume"
_BINANCE = each(lambda row: (row.time, *row.ohlcv, row.close_time, row.quote, 9, 0.1, 10.0, 0))
_BINANCE_HEADER = f"{_NAMES},close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
_BINANCE_US = each(lambda row: (row.time * 1000, *row.ohlcv, row.time * 1000 + 59_999_999, row.quote, 9, 0.1, 10.0, 0))
_GIVEN = {"symbol": SYMBOL, "interval": "1m"}


def _plain(time: object) -> list[tuple[object, ...]]:
    return each(lambda row: (time(row), *row.ohlcv))  # type: ignore[operator]


def _yfinance() -> bytes:
    head = "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDatetime,,,,,\n"
    return csv_bytes(
        each(lambda row: (row.text("%Y-%m-%d %H:%M:%S+00:00"), row.close, row.high, row.low, row.open, row.volume)), before=head
    )


SOURCE_CSV_LAYOUTS = [
    Layout("Binance archive", "zip, no header, ms", "BTCUSDT-1m-2024-01.zip", zip_bytes({"BTCUSDT-1m-2024-01.csv": csv_bytes(_BINANCE)})),
    Layout("Binance archive", "zip, header", "BTCUSDT-1m-2024-01-02.zip", zip_bytes({"a.csv": csv_bytes(_BINANCE, _BINANCE_HEADER)})),
    Layout("Binance archive", "CSV, no header, µs", "BTCUSDT-1m-2024-01.csv", csv_bytes(_BINANCE_US)),
    Layout(
        "Binance archive",
        "zip made again on a Mac",
        "BTCUSDT-1m-2024-01.zip",
        zip_bytes({"x/a.csv": csv_bytes(_BINANCE), "__MACOSX/x/._a.csv": b"\0\5", "x/.DS_Store": b"\0"}),
    ),
    Layout(
        "Binance archive, coin-margined",
        "contracts of 100 dollars",
        "BTCUSD_PERP-1m-2024-01.csv",
        csv_bytes(each(lambda row: (row.time, *row.ohlcv[:4], row.volume * row.vwap / 100, row.close_time, row.volume, 9, 1, 1, 0))),
        noted="contracts",
    ),
    Layout(
        "Binance archive, mark price",
        "no volume",
        "BTCUSDT-1m-2024-01.csv",
        csv_bytes(each(lambda row: (row.time, *row.ohlcv[:4], 0, row.close_time, 0, 60, 0, 0, 0))),
        rejected="mark",
    ),
    Layout(
        "CryptoDataDownload",
        "URL line, newest first, ms and s",
        "Binance_BTCUSDT_2024_minute.csv",
        csv_bytes(
            each(
                lambda row: (row.time if row.time % 120_000 else row.seconds, row.text(), "BTC/USDT", *row.ohlcv, row.quote),
                newest_first=True,
            ),
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT",
            before="https://www.CryptoDataDownload.com\n",
        ),
    ),
    Layout(
        "Kaggle Bitstamp, 2021",
        "rows of NaN",
        "bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv",
        csv_bytes(
            [(ROWS[0].seconds - 60, *["NaN"] * 7), *each(lambda row: (row.seconds, *row.ohlcv, row.quote, row.vwap))],
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
        ),
        **_GIVEN,
        noted="without prices",
    ),
    Layout(
        "Kaggle Bitstamp, now",
        "seconds as floats",
        "btcusd_1-min_data.csv",
        csv_bytes(_plain(lambda row: float(row.seconds)), "Timestamp,Open,High,Low,Close,Volume"),
        **_GIVEN,
    ),
    Layout("Kraken OHLCVT", "no header, seconds", "XBTUSDT_1.csv", csv_bytes(each(lambda row: (row.seconds, *row.ohlcv, 7)))),
    Layout(
        "Kraken OHLC",
        "no header, vwap before volume",
        "XBTUSDT_1.csv",
        csv_bytes(each(lambda row: (row.seconds, *row.ohlcv[:4], row.vwap, row.volume, 7))),
    ),
    Layout(
        "TradingView",
        "seconds",
        "BINANCE_BTCUSDT, 1.csv",
        csv_bytes(each(lambda row: (row.seconds, *row.ohlcv, row.volume * 2)), "time,open,high,low,close,Volume,Volume MA"),
    ),
    Layout(
        "TradingView",
        "ISO times",
        "BINANCE_BTCUSDT, 1.csv",
        csv_bytes(_plain(lambda row: row.text("%Y-%m-%dT%H:%M:%SZ")), "time,open,high,low,close,Volume"),
    ),
    Layout("yfinance", "three header rows, close first", "btc.csv", _yfinance(), **_GIVEN),
    Layout(
        "yfinance",
        "older, one header row",
        "btc.csv",
        csv_bytes(
            each(lambda row: (row.text("%Y-%m-%d %H:%M:%S+00:00"), *row.ohlcv[:4], row.close, row.volume)),
            "Datetime,Open,High,Low,Close,Adj Close,Volume",
        ),
        **_GIVEN,
    ),
    Layout(
        "MetaTrader 5",
        "with --timezone",
        "BTCUSDT_M1.csv",
        csv_bytes(
            each(lambda row: (row.text("%Y.%m.%d", shift_hours=2), row.text("%H:%M:%S", shift_hours=2), *row.ohlcv, 0, 5)),
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "\t",
        ),
        timezone="Europe/Athens",
        noted="ticks",
    ),
    Layout(
        "MetaTrader 5",
        "without --timezone",
        "BTCUSDT_M1.csv",
        csv_bytes(
            each(lambda row: (row.text("%Y.%m.%d"), row.text("%H:%M:%S"), *row.ohlcv, 0, 5)),
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "\t",
        ),
        rejected="--timezone",
    ),
    Layout(
        "MetaTrader 4",
        "no header",
        "BTCUSDT1.csv",
        csv_bytes(each(lambda row: (row.text("%Y.%m.%d"), row.text("%H:%M"), *row.ohlcv))),
        timezone="UTC",
        **_GIVEN,
        noted="ticks",
    ),
    Layout(
        "Dukascopy",
        "day.month.year, GMT",
        "BTCUSDT_Candlestick_1_M_BID_02.01.2024-02.01.2024.csv",
        csv_bytes(_plain(lambda row: row.text("%d.%m.%Y %H:%M:%S.000")), "Gmt time,Open,High,Low,Close,Volume"),
    ),
    Layout(
        "Dukascopy",
        "local time with offset",
        "BTCUSDT_Candlestick_1_M_BID_02.01.2024-02.01.2024.csv",
        csv_bytes(_plain(lambda row: row.text("%d.%m.%Y %H:%M:%S.000 GMT+0100", shift_hours=1)), "Local time,Open,High,Low,Close,Volume"),
    ),
    Layout(
        "Alpha Vantage",
        "numbered names",
        "btc.csv",
        csv_bytes(_plain(lambda row: row.text()), "timestamp,1. open,2. high,3. low,4. close,5. volume"),
        **_GIVEN,
    ),
]
