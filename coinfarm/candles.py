"""Candles: typed columns that have been checked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.errors import CandleError, Fault, TooLarge
from coinfarm.interval import interval_ms
from image_render.windows import Columns

PRICE_FIELDS = ("open", "high", "low", "close")
LARGEST_VALUE = 1e18
"""No price and no volume of a candle is larger; what is above is a mistake, and would overflow in sums."""
SMALLEST_PRICE = 1e-18
"""No price is smaller; a range would overflow where it is told in percent of what is below."""

_FIRST_MICROSECONDS = 10**14
"""As milliseconds this is the year 5138, as microseconds 1973: what is not below it is microseconds, and what is still not below it
as milliseconds is nanoseconds."""
_LAST_SECONDS = 10**11
"""As seconds this is the year 5138, as milliseconds 1973: what is below it is seconds."""
_FAULTS_NAMED = 10

Times = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candles:
    """Candles of one symbol and interval, in order of time, every column of shape `(n,)`.

    `open_time` is int64, milliseconds UTC; prices and `volume` are float64, in the market's units; `filled` is
    True where nobody traded and the candle was made up by `fill_gaps`.
    """

    symbol: str
    interval: str
    open_time: Times
    columns: Columns
    filled: NDArray[np.bool_]

    @classmethod
    def checked(cls, symbol: str, interval: str, open_time: Times, columns: Columns) -> "Candles":
        """Candles out of raw columns; `open_time` in milliseconds or microseconds.

        Raises `CandleError`, which names each candle at fault (the first ten), for times off the interval's grid, doubled or out
        of order, and for prices and volumes that cannot be.
        """
        open_time = _as_milliseconds(np.asarray(open_time, np.int64))
        columns = Columns(*(np.asarray(column, np.float64) for column in columns))
        faults = list(_faults(open_time, columns, interval))
        if faults:
            faults.sort(key=lambda fault: fault[0])
            raise CandleError(*(Fault(f"/candles/{at}/{field}", detail) for at, field, detail in faults[:_FAULTS_NAMED]))
        return cls(symbol, interval, open_time, columns, np.zeros(len(open_time), np.bool_))

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def interval_ms(self) -> int:
        return interval_ms(self.interval)

    def between(self, start_ms: int | None, stop_ms: int | None) -> "Candles":
        """The candles that open from `start_ms` on, and before `stop_ms`; None is no bound."""
        first = 0 if start_ms is None else int(np.searchsorted(self.open_time, start_ms))
        last = len(self) if stop_ms is None else int(np.searchsorted(self.open_time, stop_ms))
        return self[first : max(first, last)]

    def __getitem__(self, part: slice) -> "Candles":
        return Candles(
            self.symbol,
            self.interval,
            self.open_time[part],
            Columns(*(column[part] for column in self.columns)),
            self.filled[part],
        )


def fill_gaps(candles: Candles, most_candles: int) -> Candles:
    """The same candles on an unbroken grid: a missing one is flat at the close before it, and has no volume.

    Raises `TooLarge` where that makes more than `most_candles`, before the room for them is taken.
    """
    if not len(candles):
        return candles
    count = int((candles.open_time[-1] - candles.open_time[0]) // candles.interval_ms) + 1
    if count > most_candles:
        raise TooLarge(
            f"{len(candles)} candles span {count} intervals of {candles.interval} with their holes filled; "
            f"at most {most_candles} are allowed: send the stretches on either side of a long hole apart"
        )
    if count == len(candles):
        return candles
    steps = np.diff(candles.open_time) // candles.interval_ms
    source = np.repeat(np.arange(len(candles)), np.append(steps, 1))
    filled = np.append(False, source[1:] == source[:-1])
    columns = [column[source] for column in candles.columns]
    flat = columns[Columns._fields.index("close")]
    for field, column in zip(Columns._fields, columns, strict=True):
        column[filled] = 0.0 if field == "volume" else flat[filled]
    open_time = candles.open_time[0] + np.arange(count, dtype=np.int64) * candles.interval_ms
    return Candles(candles.symbol, candles.interval, open_time, Columns(*columns), candles.filled[source] | filled)


def refuse_gaps(candles: Candles) -> Candles:
    """The same candles; raises `CandleError` that names each candle before which others are missing."""
    missing = np.diff(candles.open_time) // candles.interval_ms - 1
    holes = np.flatnonzero(missing)[:_FAULTS_NAMED]
    if len(holes):
        raise CandleError(
            *(
                Fault(
                    f"/candles/{at + 1}/openTime",
                    f'{missing[at]} candles are missing before it: send them, or let them be filled with "gaps": "fill"',
                )
                for at in holes
            )
        )
    return candles


def _as_milliseconds(time: Times) -> Times:
    """Binance's archive counts microseconds from 2025 on, and a series may cross that day."""
    return np.where(time >= _FIRST_MICROSECONDS, time // 1000, time)


def _faults(time: Times, columns: Columns, interval: str) -> Iterator[tuple[int, str, str]]:
    """Candle, field and detail of what is wrong, check by check."""
    step_ms = interval_ms(interval)

    def each(wrong: NDArray[np.bool_], field: str, detail: str) -> Iterator[tuple[int, str, str]]:
        for at in np.flatnonzero(wrong)[:_FAULTS_NAMED]:
            yield int(at), field, detail

    seconds = time < _LAST_SECONDS
    yield from each(seconds, "openTime", "must be milliseconds (or microseconds) since 1970, not seconds")
    nanoseconds = time >= _FIRST_MICROSECONDS
    yield from each(nanoseconds, "openTime", "must be milliseconds (or microseconds) since 1970, not nanoseconds")
    yield from each(
        ~(seconds | nanoseconds) & (time % step_ms != 0), "openTime", f"is not a multiple of {interval}: is the interval right?"
    )
    step = np.diff(time, prepend=time[:1] - step_ms)
    yield from each(step == 0, "openTime", "is the candle before it again: send each candle once")
    yield from each(step < 0, "openTime", "is earlier than the candle before it: send the oldest candle first")

    usable = np.ones(len(time), np.bool_)
    for field in PRICE_FIELDS:
        price = getattr(columns, field)
        good = (price >= SMALLEST_PRICE) & (price <= LARGEST_VALUE)  # False for NaN too
        yield from each(~good, field, f"must be a finite price above zero, from {SMALLEST_PRICE:g} to {LARGEST_VALUE:g}")
        usable &= good
    good = (columns.volume >= 0) & (columns.volume <= LARGEST_VALUE)
    yield from each(~good, "volume", f"must be a finite volume, zero or above, at most {LARGEST_VALUE:g}")

    for field in ("open", "close", "low"):
        price = getattr(columns, field)
        yield from each(usable & (columns.high < price), "high", f"is below the {field}")
        if field != "low":
            yield from each(usable & (columns.low > price), "low", f"is above the {field}")
