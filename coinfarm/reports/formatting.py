"""Times and numbers formatted for tables, pages and messages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

_COINS_SHOWN = 12
_MAX_FIXED = 1e7
"""Larger numbers are written with an exponent."""


def minute_text(time_ms: int) -> str:
    """A time in UTC: `2019-05-14 07:30`; the number itself if it is no possible date."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return str(time_ms)


def coins_text(symbols: Sequence[str], interval: str | None) -> str:
    """Coins and their interval, if it is known: `BTCUSDT, ETHUSDT 1h`; of many coins the first ones and the number of the others."""
    listed = ", ".join(symbols[:_COINS_SHOWN])
    others = len(symbols) - _COINS_SHOWN
    return f"{listed}{f' and {others} others' if others > 0 else ''} {interval or ''}".rstrip()


def clock_text(time_ms: int) -> str:
    """The time of day in UTC: `07:30`."""
    return minute_text(time_ms)[-5:]


def duration_text(seconds: float | None) -> str:
    """`12.3 s`, `45 min` or `3 h 20 min`; a question mark if unknown."""
    if seconds is None:
        return "?"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def dollar_text(usd: float | None) -> str:
    """`$1,234.50`, or `$0.0123` below ten cents; a question mark if unknown."""
    return "?" if usd is None else f"${usd:,.2f}" if usd == 0 or usd >= 0.1 else f"${usd:.4f}"


def number_text(value: float | None, decimals: int = 1) -> str:
    """`1,234.5`; a dash for None, NaN and infinity, and never `-0.0`."""
    if value is None or not isfinite(value):
        return "–"
    if abs(value) >= _MAX_FIXED:
        return f"{value:.1e}"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def score_text(value: float | None, decimals: int = 3) -> str:
    """A number with a true minus sign: `−0.025`."""
    return number_text(value, decimals).replace("-", "−")


def bounds_text(bounds: tuple[float, float] | None, decimals: int = 3) -> str:
    """`[0.116, 0.158]`; empty for None."""
    return "" if bounds is None else f"[{score_text(bounds[0], decimals)}, {score_text(bounds[1], decimals)}]"


def percent_text(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """`53.3 %`, or with its interval `53.3 % [52.5, 54.1]`; a dash for None."""
    return "–" if value is None else f"{score_text(value, 1)} % {bounds_text(interval, 1)}".rstrip()


def count_text(count: int | None) -> str:
    """`1,234`; a question mark if unknown."""
    return "?" if count is None else f"{count:,}"


def plural_text(count: int, noun: str) -> str:
    """`1 day`, `1,234 days`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
