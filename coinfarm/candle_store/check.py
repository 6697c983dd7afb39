"""What a candle store has and has not: coverage, holes, and candles that cannot be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from coinfarm.candle_store.day_file import columns_as_they_are, day_from_parquet
from coinfarm.candle_store.faults import all_candle_faults
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.arrays import Times
from coinfarm.candles.day import DAY_MS, day_start_ms, slots_per_day
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CandleError, NotFound
from coinfarm.reports.formatting import minute_text


@dataclass(frozen=True)
class Gap:
    """Intervals without a candle: those that open in `[start_ms, stop_ms)`, milliseconds UTC."""

    start_ms: int
    stop_ms: int

    @property
    def minutes(self) -> int:
        return (self.stop_ms - self.start_ms) // 60_000


@dataclass(frozen=True)
class DayFault:
    """What is wrong with a day's file; `uri` is where it lies."""

    day: date
    uri: str
    detail: str


@dataclass(frozen=True)
class CandleCoverage:
    """How many candles there are of how many intervals."""

    candles: int
    intervals: int

    @property
    def pct(self) -> float:
        return 100 * self.candles / self.intervals


@dataclass
class SeriesCheck:
    """One symbol and interval, from its first stored day to its last."""

    symbol: str
    interval: str
    days: dict[date, int] = field(default_factory=dict)
    """How many candles each stored day has, oldest first."""
    gaps: list[Gap] = field(default_factory=list)
    """Between the first candle and the last."""
    partial_days: list[date] = field(default_factory=list)
    """Days of which only a part was ever asked for, or imported."""
    faults: list[DayFault] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def coverage(self) -> CandleCoverage:
        return self._coverage(self.all_days())

    @property
    def months(self) -> dict[str, CandleCoverage]:
        """Coverage by month (`2024-01`), from the first stored day to the last."""
        return {month: self._coverage(days) for month, days in groupby(self.all_days(), key=lambda day: f"{day:%Y-%m}")}

    def all_days(self) -> list[date]:
        """From the first stored day to the last."""
        first, last = min(self.days), max(self.days)
        return [first + timedelta(at) for at in range((last - first).days + 1)]

    def document(self) -> dict[str, Any]:
        """As JSON; `to` is exclusive."""
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "firstCandle": _moment(self.first_ms),
            "lastCandle": _moment(self.last_ms),
            **_coverage_document(self.coverage),
            "months": [{"month": month, **_coverage_document(coverage)} for month, coverage in self.months.items()],
            "days": {str(day): count for day, count in self.days.items()},
            "partialDays": [str(day) for day in self.partial_days],
            "holes": [{"from": _moment(hole.start_ms), "to": _moment(hole.stop_ms), "minutes": hole.minutes} for hole in self.gaps],
            "faults": [{"date": str(fault.day), "uri": fault.uri, "detail": fault.detail} for fault in self.faults],
        }

    def _coverage(self, days: Iterable[date]) -> CandleCoverage:
        counts = [self.days.get(day, 0) for day in days]
        return CandleCoverage(sum(counts), len(counts) * slots_per_day(self.interval))


def check_store(store: CandleStore, progress: Callable[[int, int], None] = lambda _done, _total: None) -> list[SeriesCheck]:
    """Look through every day of every series; `progress` gets the days done and those to do.

    Raises `NotFound` for a store without candles, and another `StorageError` where it does not answer.
    """
    days = {series: store.days(*series) for series in store.series()}
    if not days:
        raise NotFound(f"{store.root} has no candles: get some with `coinfarm history download` or `coinfarm history import`")
    total = sum(map(len, days.values()))
    done = 0
    checks = []
    for series, stored in days.items():
        check = SeriesCheck(*series)
        for day, data in store.fetch(*series, stored):
            _take(check, day, data, store.uri(*series, day))
            done += 1
            progress(done, total)
        checks.append(check)
    return checks


def _take(check: SeriesCheck, day: date, data: bytes, uri: str) -> None:
    try:
        found = day_from_parquet(data, check.symbol, check.interval, day)
        times = found.candles.open_time
        if not found.is_complete:
            check.partial_days.append(day)
    except CandleError as error:
        details, times = _look_closer(data, check.interval, day, error)
        check.faults += [DayFault(day, uri, detail) for detail in details]
    check.days[day] = len(times)
    if len(times):
        step_ms = interval_ms(check.interval)
        before = times[:0] if check.last_ms is None else np.array([check.last_ms])
        around = np.concatenate([before, times])
        for at in np.flatnonzero(np.diff(around) > step_ms):
            check.gaps.append(Gap(int(around[at]) + step_ms, int(around[at + 1])))
        check.first_ms = int(times[0]) if check.first_ms is None else check.first_ms
        check.last_ms = int(times[-1])


def _look_closer(data: bytes, interval: str, day: date, error: CandleError) -> tuple[list[str], Times]:
    """Everything that is wrong with a file, and when its candles of that day open."""
    columns = columns_as_they_are(data, interval)
    if columns is None:
        return [str(fault) for fault in error.faults], np.zeros(0, np.int64)
    times, values = columns
    details = [str(fault) for fault in all_candle_faults(times, values, interval)]
    start_ms = day_start_ms(day)
    inside = (times >= start_ms) & (times < start_ms + DAY_MS)
    outside = times[~inside]
    if len(outside):
        details.append(f"{len(outside):,} candles are of another day, the first at {minute_text(int(outside[0]))}")
    on_grid = np.unique(times[inside & (times % interval_ms(interval) == 0)])
    return details or [str(fault) for fault in error.faults], on_grid


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _coverage_document(coverage: CandleCoverage) -> dict[str, Any]:
    return {"candles": coverage.candles, "intervals": coverage.intervals, "coveragePct": round(coverage.pct, 3)}
