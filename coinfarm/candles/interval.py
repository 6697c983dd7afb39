"""Candle intervals in the notation of exchanges, such as `1m`."""

import re
from typing import Annotated

from pydantic import Field

from coinfarm.errors import ErrorDetail, InvalidInput

Interval = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}[mhd]$", examples=["1m"])]

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATTERN = re.compile(r"([1-9][0-9]{0,2})([mhd])")


def interval_ms(interval: str) -> int:
    """The length in milliseconds of an interval that divides a day, such as `1m`, `15m`, `4h` or `1d`.

    Raises `InvalidInput` for any other (exchanges disagree about the first day of weeks and months).
    """
    match = _PATTERN.fullmatch(interval)
    length_ms = int(match[1]) * _UNITS_MS[match[2]] if match else 0
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
