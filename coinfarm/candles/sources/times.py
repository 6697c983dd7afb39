"""Times as files have them (numbers since 1970 in any unit, text in many formats), as milliseconds UTC."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times
from coinfarm.candles.sources.raw_table import RawColumn, RawTable, counted, is_null
from coinfarm.candles.sources.text_times import ClockFormats, DateFormats
from coinfarm.candles.sources.zones import Zone
from coinfarm.errors import CandleError, ErrorDetail

NO_TIME = np.iinfo(np.int64).min
"""A row without a time."""
_UNITS = ((1e17, "nanoseconds"), (1e14, "microseconds"), (1e11, "milliseconds"), (1e8, "seconds"))
"""The smallest number of each unit: in seconds the year 1973, in milliseconds too, and so on."""
_MAX_NUMBER = 9e18
"""In nanoseconds the year 2255."""
_MONTH_BY_NAME = re.compile(r"(?P<date>(?:\d\d?[ -])?[A-Za-z]{3,9}[ -](?:\d\d?,? )?\d{2,4})(?:[ T,]\s*(?P<clock>.+))?")
"""22 Jan 2018, Jan 22, 2018 10:00 PM"""
_SPLIT = re.compile(r"[T ]\s*")


@dataclass(frozen=True, eq=False)
class ParsedTimes:
    """Milliseconds UTC `(n,)`, `NO_TIME` where there is none; `is_clock` if they are a clock's, whose zone nobody has named."""

    open_time: Times
    is_clock: bool
    unit: str


def parse_times(
    column: RawColumn, clock: RawColumn | None, table: RawTable, zone: Zone | None, *, clock_numbers: bool = False
) -> ParsedTimes:
    """The times of a column, with the time of day in a second one (`clock`) or None. Raises `CandleError`.

    Numbers since 1970 are UTC, so a zone other than that is rejected for them, unless they are
    those of a clock (`clock_numbers`). Text without an offset is a clock's time in `zone`.
    """
    values = column.values
    if values.dtype.kind == "M":
        times = values.astype("datetime64[ms]").astype(np.int64)
        parsed = ParsedTimes(times, not column.has_zone, "timestamps")
    elif clock is None and (numeric := _as_numbers(column)) is not None:
        parsed = _from_numbers(numeric, table)
        parsed = replace(parsed, is_clock=parsed.is_clock or clock_numbers)
    else:
        parsed = _from_text(column, clock, table)
    if zone is None or not parsed.is_clock:
        if zone is not None and not zone.is_utc:
            raise CandleError(ErrorDetail("", f"the times are {parsed.unit}, which are UTC already: leave out the time zone {zone.name}"))
        return parsed
    present = parsed.open_time != NO_TIME
    times = parsed.open_time.copy()
    times[present] = zone.to_utc(times[present])
    return ParsedTimes(times, False, parsed.unit)


def _as_numbers(column: RawColumn) -> "NDArray[np.float64] | NDArray[np.int64] | None":
    """None if a cell is text that is no number."""
    values = column.values
    if values.dtype.kind == "i":
        return values
    if values.dtype.kind in "fu":
        return values.astype(np.float64)
    if values.dtype != object:
        return None
    try:
        cells = [np.nan if is_null(cell) else float(cell) for cell in values.tolist() if type(cell) is not bool]
    except (TypeError, ValueError, OverflowError):
        return None
    numeric = np.array(cells, np.float64)
    return None if len(numeric) != len(values) or _are_dates(numeric) else numeric


def _are_dates(numeric: "NDArray[np.float64]") -> bool:
    """Whether numbers are dates such as 20180122."""
    known = numeric[np.isfinite(numeric)]
    return bool(len(known)) and bool(((known >= 1970_01_01) & (known <= 2100_12_31) & (known % 100 <= 31) & (known % 10000 <= 1231)).all())


def _from_numbers(numeric: "NDArray[np.float64] | NDArray[np.int64]", table: RawTable) -> ParsedTimes:
    times = np.full(len(numeric), NO_TIME)
    present = np.isfinite(numeric)
    unit = ""
    rest = present.copy()
    for smallest, name in _UNITS:
        here = rest & (numeric >= smallest) & (numeric < _MAX_NUMBER)
        if here.any():
            times[here] = _as_milliseconds(numeric[here], name)
            unit = unit or name
            rest &= ~here
    if rest.any():
        at = np.flatnonzero(rest)
        if _are_dates(np.asarray(numeric[present], np.float64)):
            text = np.array([f"{int(number):08d}" for number in numeric], object)
            return _from_text(RawColumn(text), None, table)
        raise CandleError(
            ErrorDetail(
                "",
                f"{counted(at, len(numeric), table)}: {numeric[at[0]]:.12g} is not a time: expected seconds, milliseconds, "
                "microseconds or nanoseconds since 1970, or text such as 2018-01-22 00:00:00",
            )
        )
    return ParsedTimes(times, False, f"{unit} since 1970")


def _as_milliseconds(numeric: "NDArray[np.float64] | NDArray[np.int64]", unit: str) -> Times:
    if unit == "seconds":
        return np.rint(np.asarray(numeric, np.float64) * 1000).astype(np.int64)
    divisor = {"milliseconds": 1, "microseconds": 1000, "nanoseconds": 1_000_000}[unit]
    if numeric.dtype.kind == "i":
        return np.asarray(numeric // divisor, np.int64)
    return np.floor(numeric / divisor + 1e-6).astype(np.int64)


def _from_text(column: RawColumn, clock: RawColumn | None, table: RawTable) -> ParsedTimes:
    cells = column.values.tolist()
    clocks: list[object] = [None] * len(cells) if clock is None else clock.values.tolist()
    digits = _clock_digits(clocks)
    pairs = [_date_and_clock(cell, time, digits) for cell, time in zip(cells, clocks, strict=True)]
    dates = DateFormats(date for date, _ in pairs if date)
    clock_formats = ClockFormats()
    times = np.full(len(cells), NO_TIME)
    zoned: set[bool] = set()
    wrong = []
    for at, (date, time) in enumerate(pairs):
        if not date:
            continue
        day_ms, of_day = dates.day_ms(date), clock_formats.parse(time)
        if day_ms is None or of_day is None:
            wrong.append(at)
            continue
        times[at] = day_ms + of_day.milliseconds - of_day.offset_ms
        zoned.add(of_day.has_zone)
    if wrong:
        shown = " ".join(part for part in pairs[wrong[0]] if part)
        raise CandleError(ErrorDetail("", f"{counted(wrong, len(cells), table)}: {shown!r:.60} is not a time: {dates.hint}"))
    if zoned == {True, False}:
        raise CandleError(ErrorDetail("", "some times have a time zone and others do not"))
    return ParsedTimes(times, True not in zoned, "times with a zone" if True in zoned else "times without a zone")


def _clock_digits(clocks: list[object]) -> int:
    """How many digits a time of day without colons has: four, or six with seconds; spreadsheets drop leading zeros."""
    digits = {text for clock in clocks if (text := str(clock).strip()).isdigit()}
    lengths = {len(text) for text in digits}
    if len(lengths) > 1 and max(lengths) <= 4 and all(int(text) % 100 == 0 for text in digits):
        raise CandleError(
            ErrorDetail("", f"the time {max(digits, key=int)} may be hours and minutes, or minutes and seconds: write HH:MM:SS")
        )
    return 6 if max(lengths, default=0) > 4 else 4


def _date_and_clock(cell: object, clock: object, digits: int) -> tuple[str, str]:
    if is_null(cell):
        return "", ""
    text = str(cell).strip()
    if clock is not None:
        of_day = str(clock).strip()
        return text.removesuffix(".0"), of_day.zfill(digits) if of_day.isdigit() else of_day
    if match := _MONTH_BY_NAME.fullmatch(text):
        return match["date"], match["clock"] or ""
    parts = _SPLIT.split(text, maxsplit=1)
    return parts[0], parts[1] if len(parts) == 2 else ""
