"""Validation of candles: times on the interval's grid and in order, consistent prices, finite numbers."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times
from coinfarm.candles.interval import interval_ms
from image_render.windows import Columns

PRICE_FIELDS = ("open", "high", "low", "close")
MAX_VALUE = 1e18
"""The largest valid price or volume; larger ones would overflow in sums."""
MIN_PRICE = 1e-18
"""The smallest valid price; a range in percent of a smaller one would overflow."""

FIRST_MICROSECONDS = 10**14
"""In milliseconds the year 5138, in microseconds 1973. Larger times are microseconds; times that are still larger after division by
1,000 are nanoseconds."""
MIN_MILLISECONDS = 10**11
"""In seconds the year 5138, in milliseconds 1973. Times below are seconds."""
MAX_CANDLES = 10_000_000
"""The limit for one series with gaps filled: nineteen years of 1-minute candles. A wrong time could otherwise exhaust memory."""
MAX_ERRORS = 10
"""The maximum number of errors that a `CandleError` lists."""


def as_milliseconds(time: Times) -> Times:
    """Convert microseconds to milliseconds. Binance's archive has microseconds from 2025 on, and a series may have both."""
    return np.where(time >= FIRST_MICROSECONDS, time // 1000, time)


class Fault(NamedTuple):
    """One kind of fault: the indices of the candles that have it, the field and what is wrong."""

    at: NDArray[np.intp]
    field: str
    detail: str


def candle_errors(time: Times, columns: Columns, interval: str) -> Iterator[tuple[int, str, str]]:
    """The index, field and detail of the first errors of each kind."""
    for fault in candle_faults(time, columns, interval):
        for at in fault.at[:MAX_ERRORS]:
            yield int(at), fault.field, fault.detail


def candle_faults(time: Times, columns: Columns, interval: str) -> Iterator[Fault]:
    """The kinds of faults that candles have, check by check."""
    step_ms = interval_ms(interval)

    def each(wrong: NDArray[np.bool_], field: str, detail: str) -> Iterator[Fault]:
        if wrong.any():
            yield Fault(np.flatnonzero(wrong), field, detail)

    seconds = time < MIN_MILLISECONDS
    yield from each(seconds, "openTime", "must be milliseconds (or microseconds) since 1970, not seconds")
    nanoseconds = time >= FIRST_MICROSECONDS
    yield from each(nanoseconds, "openTime", "must be milliseconds (or microseconds) since 1970, not nanoseconds")
    yield from each(~(seconds | nanoseconds) & (time % step_ms != 0), "openTime", f"is not a multiple of {interval}: check the interval")
    step = np.diff(time, prepend=time[:1] - step_ms)
    yield from each(step == 0, "openTime", "duplicates that of the previous candle: remove the duplicate")
    yield from each(step < 0, "openTime", "is earlier than the candle before it: sort candles from oldest to newest")

    usable = np.ones(len(time), np.bool_)
    for field in PRICE_FIELDS:
        price = getattr(columns, field)
        good = (price >= MIN_PRICE) & (price <= MAX_VALUE)  # False for NaN too
        yield from each(~good, field, f"must be a finite price above zero, from {MIN_PRICE:g} to {MAX_VALUE:g}")
        usable &= good
    good = (columns.volume >= 0) & (columns.volume <= MAX_VALUE)
    yield from each(~good, "volume", f"must be a finite volume, zero or above, at most {MAX_VALUE:g}")

    for field in ("open", "close", "low"):
        price = getattr(columns, field)
        yield from each(usable & (columns.high < price), "high", f"is below the {field}")
        if field != "low":
            yield from each(usable & (columns.low > price), "low", f"is above the {field}")
