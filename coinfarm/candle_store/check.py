"""Checking a candle store: coverage, gaps and invalid candles."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from coinfarm.candle_store.day_file import day_from_parquet, unchecked_columns
from coinfarm.candle_store.invalid_candles import all_invalid_candles
from coinfarm.candle_store.store import CandleStore
from coinfarm.candle_store.suspicious_candles import suspicious_candles
from coinfarm.candles.arrays import Times
from coinfarm.candles.day import DAY_MS, day_start_ms, slots_per_day
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CandleError, NotFound
from coinfarm.reports.formatting import minute_text


@dataclass(frozen=True)
class Gap:
    """Missing candles: those that would open in `[start_ms, stop_ms)`, milliseconds UTC."""

    start_ms: int
    stop_ms: int

    @property
    def minutes(self) -> int:
        return (self.stop_ms - self.start_ms) // 60_000


@dataclass(frozen=True)
class DayError:
    """An error in a day's file, which is stored at `uri`."""

    day: date
    uri: str
    detail: str


@dataclass(frozen=True)
class CandleCoverage:
    """The number of candles in a number of intervals."""

    candles: int
    intervals: int

    @property
    def pct(self) -> float:
        return 100 * self.candles / self.intervals


@dataclass
class SeriesCheck:
    """The check of one symbol and interval, from the first stored day to the last."""

    symbol: str
    interval: str
    days: dict[date, int] = field(default_factory=dict)
    """The number of candles of each stored day, oldest first."""
    gaps: list[Gap] = field(default_factory=list)
    """Gaps between the first candle and the last."""
    partial_days: list[date] = field(default_factory=list)
    """Days of which only a part was downloaded or imported."""
    errors: list[DayError] = field(default_factory=list)
    suspicious: list[str] = field(default_factory=list)
    """Valid candles that look wrong: bad ticks, stuck prices, strange volumes."""
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def coverage(self) -> CandleCoverage:
        return self._coverage(self.all_days())

    @property
    def months(self) -> dict[str, CandleCoverage]:
        """Coverage by month, such as `2024-01`, from the first stored day to the last."""
        return {month: self._coverage(days) for month, days in groupby(self.all_days(), key=lambda day: f"{day:%Y-%m}")}

    def all_days(self) -> list[date]:
        """All days from the first stored one to the last."""
        first, last = min(self.days), max(self.days)
        return [first + timedelta(at) for at in range((last - first).days + 1)]

    def document(self) -> dict[str, Any]:
        """As JSON; `to` is exclusive."""
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "firstCandle": _iso_text(self.first_ms),
            "lastCandle": _iso_text(self.last_ms),
            **_coverage_document(self.coverage),
            "months": [{"month": month, **_coverage_document(coverage)} for month, coverage in self.months.items()],
            "days": {str(day): count for day, count in self.days.items()},
            "partialDays": [str(day) for day in self.partial_days],
            "holes": [{"from": _iso_text(gap.start_ms), "to": _iso_text(gap.stop_ms), "minutes": gap.minutes} for gap in self.gaps],
            "suspicious": self.suspicious,
            "faults": [{"date": str(error.day), "uri": error.uri, "detail": error.detail} for error in self.errors],
        }

    def _coverage(self, days: Iterable[date]) -> CandleCoverage:
        counts = [self.days.get(day, 0) for day in days]
        return CandleCoverage(sum(counts), len(counts) * slots_per_day(self.interval))


def check_store(store: CandleStore, progress: Callable[[int, int], None] = lambda _done, _total: None) -> list[SeriesCheck]:
    """Check every day of every series; `progress` is called with the number of days done and in total.

    Raises `NotFound` for a store without candles, and another `StorageError` if it cannot be read.
    """
    days = {series: store.days(*series) for series in store.series()}
    if not days:
        raise NotFound(f"{store.root} has no candles: add some with `coinfarm history download` or `coinfarm history import`")
    total = sum(map(len, days.values()))
    done = 0
    checks = []
    for series, stored_days in days.items():
        check = SeriesCheck(*series)
        for day, data in store.fetch(*series, stored_days):
            _check_day(check, day, data, store.uri(*series, day))
            done += 1
            progress(done, total)
        checks.append(check)
    return checks


def _check_day(check: SeriesCheck, day: date, data: bytes, uri: str) -> None:
    try:
        stored = day_from_parquet(data, check.symbol, check.interval, day)
        times = stored.candles.open_time
        check.suspicious += suspicious_candles(stored.candles)
        if not stored.is_complete:
            check.partial_days.append(day)
    except CandleError as error:
        details, times = _diagnose(data, check.interval, day, error)
        check.errors += [DayError(day, uri, detail) for detail in details]
    check.days[day] = len(times)
    if len(times):
        step_ms = interval_ms(check.interval)
        previous = times[:0] if check.last_ms is None else np.array([check.last_ms])
        opens = np.concatenate([previous, times])
        for at in np.flatnonzero(np.diff(opens) > step_ms):
            check.gaps.append(Gap(int(opens[at]) + step_ms, int(opens[at + 1])))
        check.first_ms = int(times[0]) if check.first_ms is None else check.first_ms
        check.last_ms = int(times[-1])


def _diagnose(data: bytes, interval: str, day: date, error: CandleError) -> tuple[list[str], Times]:
    """All errors of a file, and the open times of its candles that belong to that day."""
    columns = unchecked_columns(data, interval)
    if columns is None:
        return [str(item) for item in error.errors], np.zeros(0, np.int64)
    times, values = columns
    details = [str(error) for error in all_invalid_candles(times, values, interval)]
    start_ms = day_start_ms(day)
    inside = (times >= start_ms) & (times < start_ms + DAY_MS)
    outside = times[~inside]
    if len(outside):
        details.append(f"{len(outside):,} candles belong to another day, the first opens at {minute_text(int(outside[0]))}")
    on_grid = np.unique(times[inside & (times % interval_ms(interval) == 0)])
    return details or [str(item) for item in error.errors], on_grid


def _iso_text(time_ms: int | None) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _coverage_document(coverage: CandleCoverage) -> dict[str, Any]:
    return {"candles": coverage.candles, "intervals": coverage.intervals, "coveragePct": round(coverage.pct, 3)}
