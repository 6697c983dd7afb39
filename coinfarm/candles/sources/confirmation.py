"""What the data must show before a file is believed: its interval, its volumes, one series of one market, and times in UTC."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from coinfarm.candles.arrays import Times
from coinfarm.candles.interval import interval_ms, interval_name
from coinfarm.candles.sources import evidence
from coinfarm.candles.sources.cleaning import Note
from coinfarm.candles.sources.columns import MeantColumns
from coinfarm.candles.sources.times import NO_TIME
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput
from coinfarm.reports.formatting import minute_text, number_text

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_MIN_STEPS = 4
_STRAY_GAP_MS = 30 * _DAY_MS
_MAX_STRAYS = 3
_SECOND_MS = 1000


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
    if evidence.opens_follow_closes(columns.prices, columns.open_time, step_ms) is False:
        raise CandleError(
            ErrorDetail(
                "", "candles do not open where the one before closed: open and close seem exchanged, or the times are in reverse order"
            )
        )


def check_strays(columns: MeantColumns) -> None:
    """Raise `CandleError` for a few rows that are years away from all others."""
    time = columns.open_time
    if len(time) < 20:
        return
    gaps = np.diff(time)
    for at in np.flatnonzero(gaps > _STRAY_GAP_MS):
        before, after = int(at) + 1, len(time) - int(at) - 1
        if min(before, after) > _MAX_STRAYS:
            continue
        stray, near = (at, at + 1) if before <= after else (at + 1, at)
        raise CandleError(
            ErrorDetail(
                "",
                f"{columns.place(int(stray))}: {minute_text(int(time[stray]))} is {number_text(gaps[at] / _DAY_MS, 0)} days away from "
                f"the other candles, the nearest at {minute_text(int(time[near]))}: correct or remove it",
            )
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


def warn_of_jumps(columns: MeantColumns, note: Note) -> None:
    """Note a price that doubles or halves from one candle to the next, as where the candles of two coins were joined."""
    opens, closes = columns.prices.open[1:], columns.prices.close[:-1]
    is_near = np.diff(columns.open_time) <= _DAY_MS
    at = np.flatnonzero(is_near & ((opens > 2 * closes) | (closes > 2 * opens)))
    if len(at):
        first = int(at[0])
        more = f", and {len(at) - 1:,} more" if len(at) > 1 else ""
        note(
            f"two coins in one file? The price jumps from {closes[first]:.10g} to {opens[first]:.10g} at "
            f"{minute_text(int(columns.open_time[first + 1]))} ({columns.place(first + 1)}){more}"
        )


def warn_of_bad_ticks(columns: MeantColumns, note: Note) -> None:
    """Note candles whose range is more than a hundred times that of their neighbours."""
    at = bad_ticks(columns.prices)
    if len(at):
        first = int(at[0])
        more = f", and {len(at) - 1:,} more" if len(at) > 1 else ""
        note(
            f"a bad tick? The candle of {minute_text(int(columns.open_time[first]))} ({columns.place(first)}) has a high of "
            f"{columns.prices.high[first]:.10g} and a low of {columns.prices.low[first]:.10g}{more}"
        )


def bad_ticks(prices: evidence.Prices) -> "np.typing.NDArray[np.intp]":
    """The candles whose range is over 100 times the median range of the 40 around them, and over 20 % of the price."""
    spread = (prices.high - prices.low) / prices.low
    suspects = np.flatnonzero(spread > 0.2)
    return np.array([at for at in suspects if spread[at] > 100 * np.median(spread[max(0, at - 20) : at + 21])], np.intp)


def drop_unfinished(columns: MeantColumns, step_ms: int, now_ms: int, note: Note) -> MeantColumns:
    """Without a last candle that has not closed yet by the clock of this machine."""
    last = int(columns.open_time[-1])
    if len(columns) > 1 and last <= now_ms < last + step_ms:
        note("the last candle is not finished yet: dropped")
        return columns.take(np.arange(len(columns) - 1))
    return columns


def _is_spring_change(after_ms: int) -> bool:
    """Whether clocks are set forward to this time somewhere: at night on a Sunday in March or April, or in September or October."""
    at = datetime.fromtimestamp(after_ms / 1000, UTC)
    is_last_sunday = (at + timedelta(7)).month != at.month
    is_sunday = at.weekday() == 6
    in_europe = at.month == 3 and is_last_sunday and at.hour in (2, 3, 4)
    in_america = at.month == 3 and 8 <= at.day <= 14 and at.hour == 3
    in_australia = at.month == 10 and at.day <= 7 and at.hour == 3
    return is_sunday and at.minute == 0 and (in_europe or in_america or in_australia)


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
