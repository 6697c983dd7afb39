"""Column names, and what they mean whatever the source."""

import re
from collections.abc import Sequence

from coinfarm.candles.coins import COINS, QUOTES, SAME_COIN

ALIASES = {
    "open_time": "opentime timeperiodstart timeopen unix unixtimestamp unixtime epoch timestamp ts mts starttime starttimestamp start "
    "startat startedat opentimestamp timestampms timems candletime klineopentime time datetime gmttime utctime timeutc "
    "datetimeutc dateutc localtime begin bucket t date day snapped",
    "close_time": "timeperiodend closetime closetimestamp klineclosetime timeclose endtime endtimestamp end",
    "clock": "",
    "open": "open o openprice openingprice priceopen openbid midopen op 1open",
    "high": "high h highprice pricehigh highbid midhigh max hi 2high",
    "low": "low l lowprice pricelow lowbid midlow min lo 3low",
    "close": "close c closeprice priceclose closebid midclose last lastprice closelast cl 4close price "
    "tradeprice closeclosepriceadjustedforsplits",
    "volume": "baseassetvolume basevolume volumebase volume vol v basevol volumecoin amount qty quantity size 5volume tradedvolume "
    "volumetraded volumefrom basetokenvolume",
    "quote_volume": "quotevolume quoteassetvolume volumequote turnover volumecurrency volccyquote quotevol quoteturnover volumeto",
    "tick_volume": "tickvol tickvolume",
    "count": "count trades tradecount numberoftrades n numtrades",
    "vwap": "vwap vw weightedprice weightedaverage",
    "symbol": "symbol ticker pair market s instrument instrumentid productid coin tic asset baseasset basecurrency instrumentname",
    "interval": "interval timeframe period resolution granularity i",
    "confirm": "confirm finished closed isfinal isclosed windowclose",
}
"""For each meaning the names of its column in order of preference, in lower case without blanks and punctuation."""

INDEX_NAMES = frozenset({"", "index", "indexlevel0", "unnamed0", "level0"})
"""What pandas writes for an index without a name."""
_BY_NAME = {alias: (meaning, rank) for meaning, names in ALIASES.items() for rank, alias in enumerate(names.split())}
_VOLUME_OF_COIN = re.compile(r"(?:volume|vol)([a-z0-9]{2,8})|([a-z0-9]{2,8})volume")


def normalised(name: str) -> str:
    """`Volume_(BTC)` as `volumebtc`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def meanings(names: Sequence[str], extra: dict[str, str], base: str | None) -> dict[str, list[int]]:
    """For each meaning the columns that have it, the preferred one first.

    `extra` are names that mean something else in a recognised source, `base` is the coin of the symbol, for `Volume BTC` and `Volume USD`.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for at, name in enumerate(names):
        key = normalised(name)
        if len(name) == 1 and name.isupper() and name.lower() in names:
            if name != "T":
                continue  # Binance's streams: l is the low, L the last trade
            key = "closetime"  # Hyperliquid and Binance's streams: t opens, T closes
        if key in extra:
            meaning, rank = extra[key], -1
        elif key in _BY_NAME:
            meaning, rank = _BY_NAME[key]
        elif (match := _VOLUME_OF_COIN.fullmatch(key)) and (coin := (match[1] or match[2]).upper()) in {*COINS, *QUOTES, base}:
            is_base = _same(coin, base) if base else coin not in QUOTES or coin in ("BTC", "ETH")
            meaning, rank = ("volume", -1) if is_base else ("quote_volume", 9)
        else:
            continue
        found.setdefault(meaning, []).append((rank, at))
    return {meaning: [at for _, at in sorted(ranked)] for meaning, ranked in found.items()}


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether cells are column names of candles: at least four of them are known, and none is a number."""
    known = {_BY_NAME[normalised(cell)][0] for cell in cells if normalised(cell) in _BY_NAME}
    return len(known & {"open_time", "close_time", "open", "high", "low", "close", "volume"}) >= 4


def _same(coin: str, base: str) -> bool:
    return SAME_COIN.get(coin, coin) == SAME_COIN.get(base, base)
