"""Market symbols: one spelling for each market, and which markets trade the same coin."""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from coinfarm.candles.coins import COINS, DOLLARS, QUOTES, SAME_COIN
from coinfarm.errors import ErrorDetail, InvalidInput

Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", examples=["BTCUSD"])]
"""A symbol that is safe in paths."""

_ANY_SPELLING = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9][A-Za-z0-9._-]*)?)?$"
_MAX_LENGTH = 32
_MAX_QUOTE_LENGTH = max(map(len, QUOTES))


class Market(NamedTuple):
    """The two sides of a symbol, in capitals; `quote` is empty if it is not recognised."""

    base: str
    quote: str


@lru_cache(maxsize=4096)
def canonical_symbol(text: str) -> str:
    """The one spelling of a market: `BTCUSDT` for `BTC/USDT`, `BTC-USDT`, `BTC_USDT` and `btcusdt`.

    What follows the quote is another market and stays: `BTCUSDT-USDT` for ccxt's future `BTC/USDT:USDT` and freqtrade's `BTC_USDT_USDT`,
    `BTCUSDT-SWAP` for `BTC-USDT-SWAP`, `BTCUSD-PERP` for `BTCUSD_PERP`. The names of coins stay too (`XBTUSD`): see `coin_of`.

    Raises `InvalidInput` for a text that is not a symbol.
    """
    if len(text) > _MAX_LENGTH or not re.match(_ANY_SPELLING, text) or text.endswith("\n"):
        detail = f"{text!r} is not a valid symbol: use up to {_MAX_LENGTH} letters and digits, such as BTCUSDT or BTC/USDT"
        raise InvalidInput(ErrorDetail("/symbol", detail))
    pair, _, settlement = text.upper().partition(":")
    base, slash, quote = pair.partition("/")
    parts = [part for part in re.split("[-_]", quote if slash else pair) if part]
    if slash:
        parts[0] = base.replace("_", "-") + parts[0]
    elif len(parts) > 1 and parts[1] in QUOTES and not _is_pair(parts[0]):
        parts[:2] = [parts[0] + parts[1]]
    return "-".join([*parts, *([settlement.replace("_", "-")] if settlement else [])])


def split_symbol(symbol: str) -> Market:
    """The coin and its quote of a symbol in any spelling; of a derivative those of its pair. Raises `InvalidInput` as `canonical_symbol`.

    Where a symbol can be split in two places, a known coin decides, then the longer quote.
    """
    pair = re.split("[-.]", canonical_symbol(symbol))[0]
    splits = _splits(pair)
    known = [split for split in splits if split.base in COINS]
    return known[-1] if known else splits[0] if splits else Market(pair, "")


def coin_of(symbol: str) -> str:
    """The coin that a symbol prices in dollars, the same for every exchange, dollar and contract: `BTC` for `BTCUSDT` and `XBTUSD`.

    Against anything else it is the pair, such as `ETH/BTC`, whose chart is another. Raises `InvalidInput` as `canonical_symbol`.
    """
    market = split_symbol(symbol)
    coin = SAME_COIN.get(market.base, market.base)
    return coin if not market.quote or market.quote in DOLLARS else f"{coin}/{SAME_COIN.get(market.quote, market.quote)}"


@lru_cache(maxsize=4096)
def same_coin(one: str, other: str) -> bool:
    """Whether two symbols price the same coin in dollars, or are the same pair. A text that is not a symbol equals only itself."""
    try:
        return coin_of(one) == coin_of(other)
    except InvalidInput:
        return one == other


def _splits(pair: str) -> list[Market]:
    """Every way to split at a known quote, the longest quote first."""
    splits = (Market(pair[:-length], pair[-length:]) for length in range(min(_MAX_QUOTE_LENGTH, len(pair) - 1), 0, -1))
    return [split for split in splits if split.quote in QUOTES]


def _is_pair(text: str) -> bool:
    """Whether a text is a coin and its quote, not a coin alone whose name ends like a quote, such as WETH."""
    if text in COINS or text in QUOTES:
        return False
    return any(split.base in COINS or (split.quote in DOLLARS and len(split.quote) > len("USD")) for split in _splits(text))


def _canonical_or_same(text: str) -> str:
    try:
        return canonical_symbol(text)
    except InvalidInput:
        return text


AnySymbol = Annotated[str, Field(pattern=_ANY_SPELLING, max_length=_MAX_LENGTH, examples=["BTCUSD"]), AfterValidator(_canonical_or_same)]
"""A symbol in any spelling; its value is the canonical one."""
