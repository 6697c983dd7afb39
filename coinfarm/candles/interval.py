"""The length of a candle, spelled as exchanges spell it."""

import re
from typing import Annotated

from pydantic import Field

from coinfarm.errors import Fault, RequestError

Interval = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}[mhd]$", examples=["1m"])]

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPELLING = re.compile(r"([1-9][0-9]{0,2})([mhd])")


def interval_ms(interval: str) -> int:
    """The milliseconds of `1m`, `15m`, `4h`, `1d`. Only intervals that divide a day lie on a grid from the epoch.

    Raises `RequestError` for any other spelling (weeks and months start on days that exchanges disagree about).
    """
    spelled = _SPELLING.fullmatch(interval)
    length_ms = int(spelled[1]) * _UNITS_MS[spelled[2]] if spelled else 0
    if not length_ms or _UNITS_MS["d"] % length_ms:
        raise RequestError(Fault("/interval", f"{interval!r} is no interval known here: write 1m, 5m, 15m, 1h, 4h, 1d or the like"))
    return length_ms
