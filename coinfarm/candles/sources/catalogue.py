"""The table of sources: how each writes its candles.

Add a source here, and a fixture of it in tests/support/candle_layouts.py. A row without names is recognised by its number of fields, and by
what the data show (`evidence`); a row with names by the names that only this source has. What any source may call a column is in `headers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """One way to write candles."""

    name: str
    fields: str = ""
    """The meaning of each field of a row without names; those after `|` may be missing, `_` is not used."""
    header: str = ""
    """Normalised names that all must exist for this source."""
    means: Mapping[str, str] = field(default_factory=dict)
    """Normalised names that mean something else here than elsewhere."""
    close_stamped: bool = False
    """Whether the time is the end of the candle."""
    needs_zone: bool = False
    """Whether the times are in a zone that only the user knows."""
    clock_numbers: bool = False
    """Whether numbers since 1970 are those of a clock in that zone, not UTC."""
    note: str = ""
    """What a reader should know, shown whenever the source is read."""


STANDARD_ROW = "open_time open high low close volume"

SOURCES = (
    # rows without names
    Source("klines", STANDARD_ROW),
    Source("Binance klines", f"{STANDARD_ROW} close_time | quote_volume count _ _ _"),
    Source("Binance coin-margined klines", f"{STANDARD_ROW.replace('volume', 'contracts')} close_time volume | count _ _ _"),
    Source("Kraken OHLC", "open_time open high low close vwap volume | count"),
    Source("Kraken OHLCVT", f"{STANDARD_ROW} count"),
    Source("Bybit, Bitget, KuCoin futures", f"{STANDARD_ROW} quote_volume | _"),
    Source("OKX", f"{STANDARD_ROW} _ quote_volume confirm"),
    Source("OKX contracts", f"{STANDARD_ROW.replace('volume', 'contracts')} volume quote_volume confirm"),
    Source("Coinbase Exchange", "open_time low high open close volume"),
    Source("Bitfinex", "open_time open close high low volume"),
    Source("KuCoin", "open_time open close high low volume quote_volume"),
    Source("Gate", "open_time quote_volume close high low open volume | confirm"),
    Source("MetaTrader 4", "date clock open high low close volume", needs_zone=True, note="the volume counts ticks, not coins"),
    Source(
        "MetaTrader 5",
        "date clock open high low close tick_volume volume _",
        needs_zone=True,
    ),
    # rows with names
    Source("MetaTrader 5", header="date time open high low close tickvol", means={"time": "clock", "date": "date"}, needs_zone=True),
    Source("MetaTrader 5", header="date open high low close tickvol spread", needs_zone=True),
    Source(
        "MetaTrader 5",
        header="time open high low close tickvolume spread realvolume",
        means={"realvolume": "volume"},
        needs_zone=True,
        clock_numbers=True,
    ),
    Source("Stooq", header="ticker per date time open high low close vol", means={"time": "clock", "date": "date", "per": "_"}),
    Source(
        "BitMEX",
        header="timestamp symbol open high low close trades volume vwap lastsize turnover homenotional foreignnotional",
        means={"homenotional": "volume", "volume": "contracts", "foreignnotional": "quote_volume", "turnover": "_"},
        close_stamped=True,
    ),
    Source(
        "BitMEX",
        header="timestamp symbol open high low close trades volume vwap lastsize turnover",
        means={"turnover": "_"},
        close_stamped=True,
        note="the volume counts contracts, because the file lacks homeNotional",
    ),
    Source(
        "HTX futures",
        header="id open close low high amount vol count tradeturnover",
        means={"id": "open_time", "amount": "volume", "vol": "contracts", "tradeturnover": "quote_volume"},
    ),
    Source("HTX", header="id open close low high amount vol count", means={"id": "open_time", "amount": "volume", "vol": "quote_volume"}),
    Source("Gate futures", header="t v c h l o sum", means={"sum": "quote_volume"}),
    Source("Deribit", header="ticks open high low close volume cost", means={"ticks": "open_time", "cost": "quote_volume"}),
    Source(
        "Upbit",
        header="candledatetimeutc openingprice highprice lowprice tradeprice candleacctradevolume timestamp",
        means={
            "candledatetimeutc": "open_time",
            "candleacctradevolume": "volume",
            "candleacctradeprice": "quote_volume",
            "timestamp": "_",
        },
    ),
    Source(
        "CoinMarketCap",
        header="timeopen timeclose open high low close volume marketcap",
        means={"timestamp": "_"},
        note="the volume counts dollars, not coins",
    ),
    Source("Hyperliquid", header="t t s i o c h l v n"),
    Source("Polygon, Alpaca", header="t o h l c v n vw"),
    Source("Coinbase Advanced", header="start low high open close volume"),
    Source("CryptoDataDownload", header="unix date symbol open high low close"),
    Source("CryptoDataDownload", header="unixtimestamp date symbol open high low close"),
    Source("Kaggle Bitstamp", header="timestamp open high low close volumebtc volumecurrency weightedprice"),
    Source("Dukascopy", header="gmttime open high low close volume"),
    Source("Dukascopy", header="localtime open high low close volume"),
    Source(
        "yfinance",
        header="yfinance close high low open volume",
        means={"yfinance": "open_time"},
        note="Yahoo counts the volume of coins in dollars",
    ),
    Source("columns by name"),
)
ROW_SOURCES = tuple(source for source in SOURCES if source.fields)
NAMED_SOURCES = tuple(source for source in SOURCES if not source.fields)
SOURCE_NAMES = frozenset(name for source in NAMED_SOURCES for name in (*source.header.split(), *source.means))
"""Names that mean something in some source."""
