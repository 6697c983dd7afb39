"""What the data must show before a file is believed: its interval, its volumes, one series of one market, and times in UTC."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from coinfarm.candles.arrays import Times
from coinfarm.candles.interval import interval_ms, interval_name
from coinfarm.candles.sources import evidence
from coinfarm.candles.sources.cleaning import Note
from coinfarm.candles.sources.columns import MeantColumns
from coinfarm.candles.sources.times import NO_TIME
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput
from coinfarm.reports.formatting import minute_text

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_MIN_STEPS = 4
_MIN_OTHER_STEPS = 30
_SECOND_MS, _MINUTE_MS = 1000, 60_000


_FRIDAY, _SUNDAY = 4, 6
_SPRING_CHANGES = (
    (3, _SUNDAY, range(25, 32), (2, 3, 4)),  # Europe
    (3, _SUNDAY, range(8, 15), (3,)),  # North America
    (3, _FRIDAY, range(23, 30), (3,)),  # Israel
    (4, _FRIDAY, range(24, 31), (1,)),  # Egypt
    (9, _SUNDAY, range(2, 9), (1,)),  # Chile
    (9, _SUNDAY, range(24, 31), (3,)),  # New Zealand
    (10, _SUNDAY, range(1, 8), (3,)),  # Australia
    (10, _SUNDAY, range(15, 22), (1,)),  # Brazil, until 2017
    (11, _SUNDAY, range(1, 8), (1,)),  # Brazil, in 2018
)
"""When clocks are set forward: month, weekday, days of the month, and the hours to which they are set."""


def open_stamped(columns: MeantColumns, declared_ms: int | None, note: Note) -> MeantColumns:
    """With open times, where a source gives the close time only: the end of a candle, or the millisecond or second before it."""
    arrays = dict(columns.arrays)
    if "open_time" in arrays and not columns.source.close_stamped:
        time = arrays["open_time"]
        step_ms = declared_ms or evidence.commonest_step(np.sort(time))[0]
        if step_ms <= _SECOND_MS or not len(time):
            return columns
        for before in (1, _SECOND_MS):
            if (time % step_ms == step_ms - before).all():
                note("the times are close times: each candle is taken to open one interval before")
                return columns.with_arrays(open_time=time + before - step_ms)
        return columns
    time = arrays["open_time" if "open_time" in arrays else "close_time"]
    step_ms = declared_ms or evidence.commonest_step(np.sort(time))[0]
    if not step_ms:
        raise CandleError(ErrorDetail("", "has close times only: give the --interval"))
    before = next((gap for gap in (0, 1, _SECOND_MS) if gap < step_ms and (time % step_ms == (-gap) % step_ms).all()), 0)
    note("the times are close times: each candle is taken to open one interval before")
    arrays.pop("close_time", None)
    return replace(columns, arrays={**arrays, "open_time": time + before - step_ms})


def confirmed_interval(columns: MeantColumns, declared: str | None) -> str:
    """The interval, which the commonest step between candles must confirm. Raises `CandleError` with a diagnosis."""
    step_ms, count = evidence.commonest_step(columns.open_time)
    if declared is None:
        if not step_ms:
            raise InvalidInput(ErrorDetail("", "the interval cannot be found from fewer than two candles: give --interval, such as 1m"))
        try:
            return interval_name(step_ms)
        except InvalidInput:
            detail = f"candles open {_step_text(step_ms)} apart, which is no supported interval: use 1m, 5m, 15m, 1h, 4h, 1d or the like"
            raise InvalidInput(ErrorDetail("/interval", detail)) from None
    declared_ms = interval_ms(declared)
    steps = np.diff(columns.open_time)
    if count < _MIN_STEPS or step_ms == declared_ms:
        return declared
    if step_ms < declared_ms or not (steps % step_ms).any():
        raise CandleError(
            ErrorDetail(
                "",
                f"has {_step_text(step_ms)} candles, not {declared}: {count:,} of {len(steps):,} open {_step_text(step_ms)} after "
                f"the one before. If that is right, give --interval {_step_text(step_ms)}",
            )
        )
    return declared


def check_one_interval(columns: MeantColumns, step_ms: int) -> None:
    """Raise `CandleError` for a part of the candles that has a longer interval than the rest, where files were joined."""
    steps = np.diff(columns.open_time)
    for start in range(0, len(steps) - _MIN_OTHER_STEPS + 1, _MIN_OTHER_STEPS // 2):
        part = steps[start : start + _MIN_OTHER_STEPS // 2]
        if part[0] > step_ms and (part == part[0]).all() and (steps[start : start + _MIN_OTHER_STEPS] == part[0]).all():
            raise CandleError(
                ErrorDetail(
                    "",
                    f"has candles of two intervals: {_step_text(step_ms)}, and {_step_text(int(part[0]))} from "
                    f"{minute_text(int(columns.open_time[start]))} ({columns.place(start)}) on: save one file for each",
                )
            )


def check_grid(columns: MeantColumns, step_ms: int) -> None:
    """Raise `CandleError` for candles that open between the multiples of their interval, as the hours of a stock's session from 09:30."""
    offsets = columns.open_time % step_ms
    if np.count_nonzero(offsets) <= len(offsets) // 2:
        return
    shorter = math.gcd(step_ms, *np.unique(offsets).tolist())
    if shorter < _MINUTE_MS:
        return  # a time or two that are wrong, which are named below
    remedy = (
        "ask for days in UTC (1Dutc at OKX), write the dates without a time if they are a stock's trading days, or use 1h candles"
        if step_ms == _DAY_MS
        else f"use {_step_text(shorter)} candles, and `coinfarm predict --gaps skip` if the market closes"
    )
    if columns.is_clock:
        remedy += ". If the times are local, give their --timezone"
    raise CandleError(
        ErrorDetail(
            "",
            f"the {_step_text(step_ms)} candles open at times such as {minute_text(int(columns.open_time[int(offsets.argmax())]))} UTC, "
            f"which are no multiples of {_step_text(step_ms)}: {remedy}",
        )
    )


def check_close_times(columns: MeantColumns, step_ms: int) -> None:
    """Raise `CandleError` if a column of close times does not fit the open times and the interval."""
    close_time = columns.arrays.get("close_time")
    if close_time is None or evidence.is_close_time(close_time, columns.open_time, step_ms):
        return
    present = close_time != NO_TIME
    if not present.any():
        return
    length = int(np.median(close_time[present] - columns.open_time[present]))
    length += -length % _SECOND_MS
    if length <= 0:
        raise CandleError(ErrorDetail("", "the close time is not after the open time: are the two exchanged?"))
    raise CandleError(ErrorDetail("", f"candles close {_step_text(length)} after they open, not {_step_text(step_ms)}: check the interval"))


def check_order(columns: MeantColumns, step_ms: int) -> None:
    """Raise `CandleError` for candles that do not open where the one before closed, but close where the next one opens."""
    if evidence.jumps_between_candles(columns.prices, columns.open_time, step_ms):
        raise CandleError(
            ErrorDetail(
                "",
                "most candles open far from where the one before closed: two coins or markets may be mixed in the file, or the rows are "
                "not in the order of their times: save one file for each",
            )
        )
    if evidence.opens_follow_closes(columns.prices, columns.open_time, step_ms) is False:
        raise CandleError(
            ErrorDetail(
                "", "candles do not open where the one before closed: open and close seem exchanged, or the times are in reverse order"
            )
        )


def check_ranges(columns: MeantColumns) -> None:
    """Raise `CandleError` for candles that reach from low to high as no market does: one of the columns is no price."""
    if evidence.is_wide(columns.prices):
        ratio = float(np.median(columns.prices.high / columns.prices.low))
        raise CandleError(
            ErrorDetail("", f"in most candles the high is {ratio:.3g} times the low: high or low may be exchanged with the volume")
        )


def check_clock(columns: MeantColumns, step_ms: int) -> None:
    """Raise `CandleError` for times without a zone that skip an hour where clocks are set forward."""
    if step_ms > _HOUR_MS:
        return
    time = columns.open_time
    for at in np.flatnonzero(np.diff(time) == _HOUR_MS + step_ms):
        after = int(time[at]) + step_ms + _HOUR_MS
        if _is_spring_change(after) and not _is_missing_weekly(time, after):
            raise CandleError(
                ErrorDetail(
                    "",
                    f"an hour is missing at {minute_text(after - _HOUR_MS)}, when clocks are set forward: these seem to be local times. "
                    "Give their --timezone, such as America/New_York, or --timezone UTC if an hour is really missing",
                )
            )


def drop_unfinished(columns: MeantColumns, step_ms: int, now_ms: int, note: Note) -> MeantColumns:
    """Without a last candle that has not closed yet by the clock of this machine."""
    last = int(columns.open_time[-1])
    if len(columns) > 1 and last <= now_ms < last + step_ms:
        note("the last candle is not finished yet: dropped")
        return columns.take(np.arange(len(columns) - 1))
    return columns


def _is_spring_change(after_ms: int) -> bool:
    """Whether clocks are set forward to this time somewhere."""
    at = datetime.fromtimestamp(after_ms / 1000, UTC)
    return at.minute == 0 and any(
        (at.month, at.weekday()) == (month, weekday) and at.day in days and at.hour in hours
        for month, weekday, days, hours in _SPRING_CHANGES
    )


def _is_missing_weekly(time: Times, spring_ms: int) -> bool:
    """Whether an hour like it is missing on the Sunday before too, so that the gap is no change of the clock."""
    before = spring_ms - 7 * _DAY_MS
    around = time[(time >= before - _HOUR_MS) & (time < before)]
    return len(around) == 0 and time[0] < before - _DAY_MS


def _step_text(step_ms: int) -> str:
    try:
        return interval_name(step_ms)
    except InvalidInput:
        return f"{step_ms // 60_000}m" if step_ms % 60_000 == 0 else f"{step_ms / 1000:g}s"
