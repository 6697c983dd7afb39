"""The candle store: one Parquet file for each symbol, interval and UTC day."""

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from enum import StrEnum

import numpy as np

from coinfarm.candle_store.day_file import MAX_DAY_FILE_BYTES, day_from_parquet, day_to_parquet
from coinfarm.candle_store.series_folders import PREFIX, SeriesFolders, SeriesName, parse_key
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, Day, day_of, day_start_ms, slots_per_day
from coinfarm.errors import CandleError, Conflict, ErrorDetail, NotFound
from coinfarm.reports.formatting import minute_text
from coinfarm.storage import Storage
from coinfarm.storage.read_ahead import read_ahead
from image_render.windows import Columns

_READ_AHEAD = 8
_MAX_ATTEMPTS = 5
_MAX_SERIES_LISTED = 12


class WriteOutcome(StrEnum):
    """What writing a day changed."""

    NEW = "new"
    EXTENDED = "grown"
    UNCHANGED = "same"
    REPLACED = "replaced"


class CandleStore:
    """Candles by day, under `candles/symbol=S/interval=I/date=D.parquet` of a storage.

    A stored day does not change: writing the same candles again is allowed, writing other ones is a conflict. Only an incomplete day (a
    file ended in the middle of it) is extended with the slots that were unknown. So a complete day can be cached forever.

    Symbols and intervals may be given in any spelling (`BTC/USDT`, `60m`); results have the canonical one (`BTCUSDT`, `1h`).
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.folders = SeriesFolders(storage)

    @property
    def root(self) -> str:
        """The URI of the store."""
        return self._storage.uri()

    def key(self, symbol: str, interval: str, day: date) -> str:
        """The storage key of a day. Raises `InvalidInput` for an invalid symbol or interval."""
        return f"{self.folders.folder(symbol, interval)}date={day.isoformat()}.parquet"

    def uri(self, symbol: str, interval: str, day: date) -> str:
        """The URI of a day's file."""
        return self._storage.uri(self.key(symbol, interval, day))

    def series(self) -> list[SeriesName]:
        """The symbols and intervals that have a day, sorted."""
        return sorted({stored.series for stored in self.folders.days()})

    def unrecognised_files(self) -> list[str]:
        """The URIs of files among the candles that are not a day of any series."""
        return [self._storage.uri(key) for key in self._storage.list(PREFIX) if not parse_key(key)]

    def days(self, symbol: str, interval: str) -> list[date]:
        """The stored days, oldest first."""
        return sorted(stored.day for stored in map(parse_key, self._storage.list(self.folders.folder(symbol, interval))) if stored)

    def read(self, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Candles:
        """The candles that open in `[start_ms, stop_ms)`; None means no bound. A day takes about 70 KB of memory.

        Raises the errors of `read_days`.
        """
        days = list(self.read_days(symbol, interval, start_ms, stop_ms))
        return Candles.concatenate(*SeriesName.canonical(symbol, interval), days)

    def read_days(self, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Iterator[Candles]:
        """The same candles day by day, oldest first, skipping days without any. Some days are fetched ahead.

        Raises `NotFound`, which lists the existing series, for an unknown symbol and interval, and `CandleError` for a damaged day.
        """
        stored = self.days(symbol, interval)
        if not stored:
            raise NotFound(f"{self.root} has no {interval} candles of {symbol}; {self.contents()}")
        wanted = [
            day
            for day in stored
            if (start_ms is None or day_start_ms(day) + DAY_MS > start_ms) and (stop_ms is None or day_start_ms(day) < stop_ms)
        ]
        for day in self.read_each_day(symbol, interval, wanted):
            candles = day.candles.between(start_ms, stop_ms)
            if len(candles):
                yield candles

    def complete_days(self, symbol: str, interval: str, days: Iterable[date]) -> set[date]:
        """The days, of those given, that are stored completely and undamaged."""
        stored = set(self.days(symbol, interval))
        complete = set()
        for day, data in self.fetch(symbol, interval, (day for day in days if day in stored)):
            with suppress(CandleError):
                if self._parse(data, symbol, interval, day).is_complete:
                    complete.add(day)
        return complete

    def read_each_day(self, symbol: str, interval: str, days: Iterable[date]) -> Iterator[Day]:
        """The given days, in their order. Raises `NotFound` for one that is not stored, and `CandleError` for a damaged one."""
        for day, data in self.fetch(symbol, interval, days):
            yield self._parse(data, symbol, interval, day)

    def fetch(self, symbol: str, interval: str, days: Iterable[date]) -> Iterator[tuple[date, bytes]]:
        """The files of the given days, in their order. Raises `NotFound` for one that is not stored."""

        def read(day: date) -> bytes:
            return self._storage.read(self.key(symbol, interval, day), MAX_DAY_FILE_BYTES).data

        return read_ahead(read, days, _READ_AHEAD)

    def write_day(
        self,
        candles: Candles,
        *,
        known_from_ms: int | None = None,
        known_to_ms: int | None = None,
        unknown: Iterable[tuple[int, int]] = (),
        replace: bool = False,
    ) -> WriteOutcome:
        """Store candles of one day, which are all candles of `[known_from_ms, known_to_ms)`; None means the day's own bound.

        A candle outside of that period may not be finished: it is stored until another file knows it. Of the `unknown` periods
        `[start_ms, stop_ms)` nothing is known either.

        Raises `CandleError` for no candles and for candles of more than one day, and `Conflict` if other candles are stored for the same
        time, unless `replace` is set.
        """
        return self.write(_day_of_candles(candles, known_from_ms, known_to_ms, unknown), replace=replace)

    def write(self, new: Day, *, replace: bool = False) -> WriteOutcome:
        """Store a day that has a candle. Raises `Conflict` if other candles of the same time are stored, unless `replace` is set."""
        for _ in range(_MAX_ATTEMPTS):
            written = self._try_write(new, replace)
            if written:
                return written
        raise Conflict(f"{self.uri(new.symbol, new.interval, new.day)} is being changed by other writers: let one writer finish first")

    def _try_write(self, new: Day, replace: bool) -> WriteOutcome | None:
        """None if another writer changed the day meanwhile, so that it must be read again."""
        key = self.key(new.symbol, new.interval, new.day)
        try:
            blob = self._storage.read(key, MAX_DAY_FILE_BYTES)
        except NotFound:
            return WriteOutcome.NEW if self._put(key, new, create_only=True) else None
        try:
            old = self._parse(blob.data, new.symbol, new.interval, new.day)
        except CandleError:
            if not replace:
                raise
            return WriteOutcome.REPLACED if self._put(key, new, if_match=blob.etag) else None
        differences = new.differences(old)
        if differences.size and not replace:
            raise _different_candles(self._storage.uri(key), old, new, differences)
        if differences.size:
            return WriteOutcome.REPLACED if self._put(key, new.merged_over(old), if_match=blob.etag) else None
        extended = old.extended(new)
        if np.array_equal(extended.known, old.known) and np.array_equal(extended.values, old.values):
            return WriteOutcome.UNCHANGED
        return WriteOutcome.EXTENDED if self._put(key, extended, if_match=blob.etag) else None

    def _put(self, key: str, day: Day, *, create_only: bool = False, if_match: str | None = None) -> bool:
        """Whether the conditional write succeeded."""
        try:
            self._storage.write(key, day_to_parquet(day), create_only=create_only, if_match=if_match)
        except Conflict:
            return False
        return True

    def _parse(self, data: bytes, symbol: str, interval: str, day: date) -> Day:
        try:
            return day_from_parquet(data, *SeriesName.canonical(symbol, interval), day)
        except CandleError as error:
            where = self.uri(symbol, interval, day)
            raise CandleError(*(ErrorDetail(where + item.pointer, item.detail) for item in error.errors)) from None

    def contents(self) -> str:
        """The series of the store with their first and last days, as text for an error message."""
        spans: dict[SeriesName, tuple[date, date]] = {}
        for series, _, day in self.folders.days():
            first, last = spans.get(series, (day, day))
            spans[series] = min(first, day), max(last, day)
        if not spans:
            return "the store has no candles: add some with `coinfarm history download`, `import` or `generate`"
        listed = [f"{symbol} {interval} from {first} to {last}" for (symbol, interval), (first, last) in sorted(spans.items())]
        more = f" and {len(listed) - _MAX_SERIES_LISTED} other series" if len(listed) > _MAX_SERIES_LISTED else ""
        return f"the store has {', '.join(listed[:_MAX_SERIES_LISTED])}{more}"


def _day_of_candles(candles: Candles, known_from_ms: int | None, known_to_ms: int | None, unknown: Iterable[tuple[int, int]]) -> Day:
    if not len(candles):
        raise CandleError(ErrorDetail("/candles", "has no candles to store"))
    day, last = (day_of(int(candles.open_time[at])) for at in (0, -1))
    if day != last:
        raise CandleError(ErrorDetail("/candles", f"span {day} to {last}: write one day at a time"))
    opens = day_start_ms(day) + np.arange(slots_per_day(candles.interval)) * candles.interval_ms
    known = np.ones(len(opens), np.bool_)
    if known_from_ms is not None:
        known &= opens >= known_from_ms
    if known_to_ms is not None:
        known &= opens < known_to_ms
    for start_ms, stop_ms in unknown:
        known &= (opens < start_ms) | (opens >= stop_ms)
    return dataclasses.replace(Day.of(candles, day, known), known=known)


def _different_candles(where: str, old: Day, new: Day, differences: "np.typing.NDArray[np.intp]") -> Conflict:
    first = int(differences[0])
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Conflict(
        f"{where} differs from the new candles at {minute_text(new.time_of(first))} (stored {_candle_text(old, first)}, "
        f"new {_candle_text(new, first)}){more}. If the new candles are right, run the command again with --replace"
    )


def _candle_text(day: Day, slot: int) -> str:
    if not day.traded[slot]:
        return "no candle"
    return " ".join(f"{name} {value:.12g}" for name, value in zip(Columns._fields, day.values[slot], strict=True))
