"""Which market the candles are of: what the user, the name of the file, its columns and what is around its rows say must agree."""

import re
from collections.abc import Sequence

from coinfarm.candles.interval import interval_ms
from coinfarm.candles.sources.names import interval_from_text
from coinfarm.candles.sources.raw_table import RawColumn, is_null
from coinfarm.candles.symbol import canonical_symbol, coin_of
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput, shortened

_QUOTE_FIRST = re.compile(r"(?P<quote>KRW|USDT)-(?P<coin>[A-Z0-9]+)")
"""As Upbit writes its markets."""


def distinct_texts(column: RawColumn) -> list[str]:
    """The different texts of a column, in the order of the alphabet."""
    return sorted({str(cell).strip() for cell in set(column.values.tolist()) if not is_null(cell)})


def agreed_symbol(known: str | None, texts: Sequence[str]) -> str | None:
    """The symbol in its one spelling. Raises `CandleError` for several symbols, and for one that is another coin than `known`.

    `known` is what the user or the name says, `texts` are those of the file. Names of the same coin agree (XBTUSD and BTCUSD).
    """
    found = sorted({symbol for text in texts if (symbol := plain_symbol(text))})
    if len(found) > 1:
        shown = shortened(", ".join(texts), 80)
        raise CandleError(ErrorDetail("", f"has the candles of {len(found)} symbols ({shown}): save one file for each"))
    if not found:
        return known
    if known is None:
        return found[0]
    if found[0] != canonical_symbol(known) and coin_of(found[0]) != coin_of(known) and coin_of(known) != found[0]:
        raise CandleError(
            ErrorDetail("", f"has candles of {texts[0]}, not of {known}: correct the name of the file or the --symbol, or the column")
        )
    return known


def plain_symbol(text: str) -> str | None:
    """The one spelling of a symbol, without the prefixes of exchanges (`X:BTCUSD`, `BINANCE:BTCUSDT`, `tBTCUSD`); None if it is none."""
    text = text.strip()
    head, colon, tail = text.partition(":")
    if colon and "/" not in head:
        text = tail
    if len(text) > 4 and text[0] == "t" and text[1:].isupper():
        text = text[1:]
    if match := _QUOTE_FIRST.fullmatch(text):
        text = match["coin"] + match["quote"]
    try:
        return canonical_symbol(text)
    except InvalidInput:
        return None


def agreed_interval(known: str | None, texts: Sequence[str]) -> str | None:
    """The interval. Raises `CandleError` for several intervals, and for one that contradicts `known`."""
    found = sorted({interval for text in texts if (interval := interval_from_text(text))})
    if len(found) > 1:
        raise CandleError(ErrorDetail("", f"has candles of several intervals ({', '.join(found)}): save one file for each"))
    if not found:
        return known
    if known is not None and interval_ms(known) != interval_ms(found[0]):
        raise CandleError(ErrorDetail("", f"has {found[0]} candles by its own column, not {known}: give --interval {found[0]}"))
    return known or found[0]
