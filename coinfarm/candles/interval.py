"""Candle intervals in the notation of exchanges, such as `1m`."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from coinfarm.errors import ErrorDetail, InvalidInput

Interval = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}[mhd]$", examples=["1m"])]
"""An interval in the spelling in which it was stored."""

_ANY_SPELLING = r"^[1-9][0-9]{0,3}[mhdHD]$"
_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATTERN = re.compile(r"([1-9][0-9]{0,3})([mhdHD])")


@lru_cache(maxsize=1024)
def interval_ms(interval: str) -> int:
    """The length in milliseconds of an interval that divides a day, such as `1m`, `15m`, `4h` or `1d`, in any spelling.

    Raises `InvalidInput` for any other (exchanges disagree about the first day of weeks and months).
    """
    match = _PATTERN.fullmatch(interval)
    length_ms = int(match[1]) * _UNITS_MS[match[2].lower()] if match else 0
    if not length_ms or _UNITS_MS["d"] % length_ms:
        raise InvalidInput(
            ErrorDetail("/interval", f"{interval!r} is not a supported interval: use 1m, 5m, 15m, 1h, 4h, 1d or another that divides a day")
        )
    return length_ms


def interval_name(step_ms: int) -> str:
    """`1m`, `15m`, `4h`, `1d`: the interval of candles that open `step_ms` milliseconds apart. Raises `InvalidInput` if there is none."""
    for unit, unit_ms in reversed(_UNITS_MS.items()):
        if step_ms > 0 and step_ms % unit_ms == 0 and _UNITS_MS["d"] % step_ms == 0:
            return f"{step_ms // unit_ms}{unit}"
    raise InvalidInput(ErrorDetail("/interval", f"{step_ms} ms is not a supported interval: use whole minutes that divide a day evenly"))


@lru_cache(maxsize=1024)
def canonical_interval(interval: str) -> str:
    """The one spelling of an interval: `1h` for `60m` and `1H`, `1d` for `24h`, `1440m` and `1D`. Raises as `interval_ms`.

    `1M` is a month, and not supported.
    """
    return interval_name(interval_ms(interval))


def canonical_intervals(intervals: Iterable[str]) -> tuple[str, ...]:
    """Each interval once, from the shortest to the longest, in its one spelling. Raises as `interval_ms`."""
    return tuple(sorted({canonical_interval(interval) for interval in intervals}, key=interval_ms))


def interval_spellings(interval: str) -> tuple[str, ...]:
    """The spellings under which candles may be stored, the canonical one first: `1h`, `60m`. Raises as `interval_ms`."""
    length_ms = interval_ms(interval)
    counts = {unit: length_ms // unit_ms for unit, unit_ms in _UNITS_MS.items() if length_ms % unit_ms == 0}
    return tuple(f"{count}{unit}" for unit, count in reversed(counts.items()) if count < 1000)


def listed_intervals(text: str) -> tuple[str, ...]:
    """The intervals in a text such as `1m, 60m`, each once, from the shortest to the longest. A text with any other word stays as it is."""
    try:
        return canonical_intervals(part.strip() for part in text.split(","))
    except InvalidInput:
        return (text,)


def _canonical_or_same(interval: str) -> str:
    try:
        return canonical_interval(interval)
    except InvalidInput:
        return interval


AnyInterval = Annotated[str, Field(pattern=_ANY_SPELLING, examples=["1m"]), AfterValidator(_canonical_or_same)]
"""An interval in any spelling; its value is the canonical one."""
