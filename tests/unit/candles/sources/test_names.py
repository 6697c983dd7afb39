import pytest

from coinfarm.candles.sources.names import interval_from_text, series_hint
from coinfarm.errors import CandleError


@pytest.mark.parametrize(
    ("name", "symbol", "interval"),
    [
        ("BTC_USDT-1h.feather", "BTCUSDT", "1h"),
        ("BTC_USDT_USDT-1h-futures.feather", "BTCUSDT-USDT", "1h"),
        ("btc-usdt-1m.csv", "BTCUSDT", "1m"),
        ("eth-usdt-1m.csv", "ETHUSDT", "1m"),
        ("good-BTCUSD-1m.csv", "BTCUSD", "1m"),
        ("BTCUSDT-60m.csv", "BTCUSDT", "1h"),
        ("BTCUSDT_5m.csv.gz", "BTCUSDT", "5m"),
        ("BTCUSDT-1m-2024-01.zip", "BTCUSDT", "1m"),
        ("BTCUSD_PERP-1h-2024-01-02.zip", "BTCUSD-PERP", "1h"),
        ("BINANCE_BTCUSDT, 60.csv", "BTCUSDT", "1h"),
        ("BITSTAMP_BTCUSD, 1D_0a1b2.csv", "BTCUSD", "1d"),
        ("XBTUSD_1440.csv", "XBTUSD", "1d"),
        ("BTCUSD_M15.csv", "BTCUSD", "15m"),
        ("BTCUSD_H4_201801010000_201812312300.csv", "BTCUSD", "4h"),
        ("Bitstamp_BTCUSD_2018_minute.csv", "BTCUSD", "1m"),
        ("Binance_BTCUSDT_d.csv", "BTCUSDT", "1d"),
        ("btcusd_1-min_data.csv", "BTCUSD", "1m"),
        ("BTCUSD_Candlestick_1_Hour_BID_01.01.2018-31.01.2018.csv", "BTCUSD", "1h"),
        ("btcusd-h1-bid-2018-01-01-2018-02-01.csv", "BTCUSD", "1h"),
        ("candles/symbol=BTC-USD/interval=1m/date=2024-01-02.parquet", "BTC-USD", "1m"),
        ("prices.csv", None, None),
        ("-", None, None),
    ],
)
def test_names_of_sources(name: str, symbol: str | None, interval: str | None) -> None:
    assert series_hint(name) == (symbol, interval)


@pytest.mark.parametrize(
    "name", ["BTC_USDT_USDT-8h-mark.feather", "BTCUSDT-1m-indexPriceKlines.zip", "BTC_USDT_USDT-8h-funding_rate.feather"]
)
def test_rejects_names_of_other_prices(name: str) -> None:
    with pytest.raises(CandleError):
        series_hint(name)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("60m", "1h"),
        ("60", "1h"),
        ("1 min", "1m"),
        ("1hour", "1h"),
        ("PT15M", "15m"),
        ("3600s", "1h"),
        ("1D", "1d"),
        ("daily", "1d"),
        ("7m", None),
        ("x", None),
    ],
)
def test_spellings_of_intervals(text: str, interval: str | None) -> None:
    assert interval_from_text(text) == interval
