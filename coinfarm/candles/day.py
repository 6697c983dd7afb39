"""The candles of one UTC day of one symbol, and the intervals of the day for which they are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError
from image_render.windows import Columns

DAY_MS = 86_400_000
_ROUNDING = 5.1e-9
"""Closer values count as equal: exchanges give prices and volumes with eight decimals, other sources of the same candles may have more."""
_RELATIVE_ROUNDING = 1e-6
"""Prices must agree to six digits too, because some coins cost less than 1e-6 dollars."""
_VOLUME = Columns._fields.index("volume")


@dataclass(frozen=True, eq=False)
class Day:
    """A UTC day as a grid of `slots` intervals, oldest first.

    `known`, `(slots,)`: whether the source covers the slot; a file may begin or end in the middle of a day. `traded`, `(slots,)`: whether
    there is a candle; a known slot without one had no trade, and a candle in an unknown slot may not have been finished. `values`,
    `(slots, 5)`: open, high, low, close, volume, and 0 without a candle.
    """

    symbol: str
    interval: str
    day: date
    known: NDArray[np.bool_]
    traded: NDArray[np.bool_]
    values: Values

    @classmethod
    def of(cls, candles: Candles, day: date, known: NDArray[np.bool_]) -> "Day":
        """Candles that all open on `day`, and the further slots `(slots,)` that are known."""
        slots = slots_per_day(candles.interval)
        at = (candles.open_time - day_start_ms(day)) // candles.interval_ms
        traded = np.zeros(slots, np.bool_)
        values = np.zeros((slots, len(Columns._fields)))
        traded[at] = True
        values[at] = np.column_stack(candles.columns)
        return cls(candles.symbol, candles.interval, day, known | traded, traded, values)

    @property
    def is_complete(self) -> bool:
        """Whether all slots are known."""
        return bool(self.known.all())

    @property
    def candles(self) -> Candles:
        at = np.flatnonzero(self.traded)
        open_time = day_start_ms(self.day) + at * interval_ms(self.interval)
        return Candles(self.symbol, self.interval, open_time, Columns(*self.values[at].T.copy()), np.zeros(len(at), np.bool_))

    def differences(self, other: "Day") -> NDArray[np.intp]:
        """The slots that both days know but differ in.

        Numbers that agree to eight decimals, and prices to six digits, are equal; so are a missing candle and a flat one without volume.
        """
        return np.flatnonzero(self.known & other.known & self._differs(other) & (self._has_trades | other._has_trades))

    def merged_over(self, other: "Day") -> "Day":
        """The slots that either day knows; this day takes precedence where both know a slot."""
        return self._combined(other, self.known | (self.traded & ~other.known))

    def extended(self, newer: "Day") -> "Day":
        """The same day, and what a newer file has of the slots that it does not know: an unfinished candle's final values, for example."""
        newer_wins = ~self.known & (newer.known | newer.traded) & self._differs(newer)
        return self._combined(newer, ~newer_wins)

    def _combined(self, other: "Day", mine: NDArray[np.bool_]) -> "Day":
        return Day(
            self.symbol,
            self.interval,
            self.day,
            self.known | other.known,
            np.where(mine, self.traded, other.traded),
            np.where(mine[:, None], self.values, other.values),
        )

    def _differs(self, other: "Day") -> NDArray[np.bool_]:
        tolerance = np.minimum(_ROUNDING, _RELATIVE_ROUNDING * np.abs(self.values))
        tolerance[:, _VOLUME] = _ROUNDING
        return np.asarray((self.traded != other.traded) | (np.abs(self.values - other.values) > tolerance).any(axis=1))

    @property
    def _has_trades(self) -> NDArray[np.bool_]:
        """Whether a slot has a candle that is more than a flat line without volume."""
        high, low = (self.values[:, Columns._fields.index(name)] for name in ("high", "low"))
        return np.asarray(self.traded & ((self.values[:, _VOLUME] > 0) | (high > low)))

    def time_of(self, slot: int) -> int:
        """The open time of a slot, in milliseconds UTC."""
        return day_start_ms(self.day) + int(slot) * interval_ms(self.interval)


def slots_per_day(interval: str) -> int:
    return DAY_MS // interval_ms(interval)


def day_of(time_ms: int) -> date:
    """The UTC day of a time in milliseconds."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).date()


def day_start_ms(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS


def check_period(first_day: date, stop_day: date) -> None:
    """Raise `CoinfarmError` unless the days `[first_day, stop_day)` contain at least one."""
    if stop_day <= first_day:
        raise CoinfarmError(f"--to {stop_day} must be after --from {first_day} (--to is the day after the last one)")


def by_day(candles: Candles) -> Iterator[Candles]:
    """The candles of each UTC day that has any, oldest first."""
    while len(candles):
        day = candles.between(None, day_start_ms(day_of(int(candles.open_time[0]))) + DAY_MS)
        yield day
        candles = candles[len(day) :]
