"""Time zones that a user names, and times of a clock there as UTC."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from coinfarm.candles.arrays import Times
from coinfarm.errors import ErrorDetail, InvalidInput

_HOUR_MS = 3_600_000
_SHIFTED = re.compile(r"(?P<zone>[A-Za-z][A-Za-z_/]*)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?")


class Zone:
    """A zone such as `Europe/Athens`, `UTC`, `+02:00` or `America/New_York+7` (seven hours ahead of New York, as many brokers' clocks).

    Raises `InvalidInput` for an unknown name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._shift_ms = 0
        match = _SHIFTED.fullmatch(name)
        if match:
            minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
            self._shift_ms = (1 if match["sign"] == "+" else -1) * minutes * 60_000
        self._zone = _named(match["zone"] or "UTC" if match else name)

    @property
    def is_utc(self) -> bool:
        return self._zone is UTC and not self._shift_ms

    def to_utc(self, clock: Times) -> Times:
        """Times of a clock as milliseconds since 1970 `(n,)`, as UTC. In the hour that a clock shows twice, times must be in order."""
        clock = clock - self._shift_ms
        if self._zone is UTC or not len(clock):
            return clock
        hours, inverse = np.unique(clock // _HOUR_MS, return_inverse=True)
        first, second = (np.array([self._offset_ms(int(hour) * _HOUR_MS, fold) for hour in hours]) for fold in (0, 1))
        early, late = clock - first[inverse], clock - second[inverse]
        return _in_order(early, late) if (first != second).any() else early

    def _offset_ms(self, clock_ms: int, fold: int) -> int:
        at = (datetime(1970, 1, 1) + timedelta(milliseconds=clock_ms)).replace(tzinfo=self._zone, fold=fold)
        offset = at.utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)


def _in_order(early: Times, late: Times) -> Times:
    """Of two readings of each time, those that make the times rise (or fall, if they do)."""
    falls = len(early) > 1 and early[-1] < early[0]
    chosen = early[::-1].copy() if falls else early.copy()
    other = late[::-1] if falls else late
    for at in np.flatnonzero(chosen != other):
        if at and chosen[at] <= chosen[at - 1] and other[at] > chosen[at - 1]:
            chosen[at] = other[at]
    return chosen[::-1] if falls else chosen


def _named(name: str) -> tzinfo:
    if name.upper() in ("UTC", "GMT", "Z", "ETC/UTC"):
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        detail = f"{name!r} is not a time zone: use a name such as UTC, Europe/Athens or America/New_York+7, or an offset such as +02:00"
        raise InvalidInput(ErrorDetail("/timezone", detail)) from None
