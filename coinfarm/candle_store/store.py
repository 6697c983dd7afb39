"""The candle store: one Parquet file for each symbol, interval and UTC day."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from coinfarm.candle_store.day_file import MAX_BYTES, day_from_parquet, day_to_parquet
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, Day, day_of, day_start_ms, slots_per_day
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.symbol import Symbol
from coinfarm.errors import CandleError, Conflict, Fault, NotFound, RequestError
from coinfarm.reports.formatting import minute_text
from coinfarm.storage import Storage
from coinfarm.storage.read_ahead import read_ahead
from image_render.windows import Columns

PREFIX = "candles/"
_KEY = re.compile(PREFIX + r"symbol=(?P<symbol>[^/]+)/interval=(?P<interval>[^/]+)/date=(?P<day>\d{4}-\d\d-\d\d)\.parquet")
_READ_AHEAD = 8
_TRIES = 5
_SERIES_NAMED = 12
_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)


class SeriesName(NamedTuple):
    """The candles of one market."""

    symbol: str
    interval: str


class WriteOutcome(StrEnum):
    """What a write did."""

    NEW = "new"
    EXTENDED = "grown"
    UNCHANGED = "same"
    REPLACED = "replaced"


class CandleStore:
    """Candles by the day, under `candles/symbol=S/interval=I/date=D.parquet` of a storage.

    What was written stays: a day takes the same candles again without a change, and refuses others. Only a day that was written in
    part (a file ended in the middle of it) grows, by what was not known of it. So whoever read a whole day, read it for good.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def root(self) -> str:
        """Where the store lies."""
        return self._storage.uri()

    def key(self, symbol: str, interval: str, day: date) -> str:
        """Raises `RequestError` for a symbol or an interval that cannot be."""
        return f"{_folder(symbol, interval)}date={day.isoformat()}.parquet"

    def uri(self, symbol: str, interval: str, day: date) -> str:
        return self._storage.uri(self.key(symbol, interval, day))

    def series(self) -> list[SeriesName]:
        """The symbols and intervals of which there is a day, sorted."""
        return sorted({SeriesName(*name[:2]) for name in map(_parsed_key, self._storage.list(PREFIX)) if name})

    def unrecognized_files(self) -> list[str]:
        """Where files lie among the candles that are no day of any series."""
        return [self._storage.uri(key) for key in self._storage.list(PREFIX) if not _parsed_key(key)]

    def days(self, symbol: str, interval: str) -> list[date]:
        """The days of which there are candles, oldest first."""
        return sorted(name[2] for name in map(_parsed_key, self._storage.list(_folder(symbol, interval))) if name)

    def read(self, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Candles:
        """The candles that open in `[start_ms, stop_ms)`, in one piece; None is no bound. A day costs about 70 KB of memory.

        Raises as `read_days`.
        """
        days = list(self.read_days(symbol, interval, start_ms, stop_ms))
        return Candles.concatenate(symbol, interval, days)

    def read_days(self, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Iterator[Candles]:
        """The same day by day, oldest first, without the days that have no candle there; some days are fetched ahead.

        Raises `NotFound` where there is no such symbol and interval, which names those that there are, and `CandleError`
        for a damaged day.
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
        """Those of the days that are stored whole; what is damaged is not."""
        stored = set(self.days(symbol, interval))
        whole = set()
        for day, data in self.fetch(symbol, interval, (day for day in days if day in stored)):
            with suppress(CandleError):
                if self._parsed(data, symbol, interval, day).is_complete:
                    whole.add(day)
        return whole

    def read_each_day(self, symbol: str, interval: str, days: Iterable[date]) -> Iterator[Day]:
        """The named days, and what is known of each. Raises `NotFound` for one that is not there, `CandleError` for a damaged one."""
        for day, data in self.fetch(symbol, interval, days):
            yield self._parsed(data, symbol, interval, day)

    def fetch(self, symbol: str, interval: str, days: Iterable[date]) -> Iterator[tuple[date, bytes]]:
        """The files of the named days as they are, in their order; raises `NotFound` for one that is not there."""

        def read(day: date) -> bytes:
            return self._storage.read(self.key(symbol, interval, day), MAX_BYTES).data

        return read_ahead(read, days, _READ_AHEAD)

    def write_day(
        self, candles: Candles, *, known_from_ms: int | None = None, known_to_ms: int | None = None, replace: bool = False
    ) -> WriteOutcome:
        """Keep candles of one day: all that there are of `[known_from_ms, known_to_ms)`, where None is the day's own end.

        Raises `CandleError` for none, or for candles of more than one day; `Conflict` where other candles are stored for the
        same time, unless `replace`, which lets the new ones take their place.
        """
        new = _day_of_candles(candles, known_from_ms, known_to_ms)
        for _ in range(_TRIES):
            written = self._try_to_write(new, replace)
            if written:
                return written
        raise Conflict(f"{self.uri(new.symbol, new.interval, new.day)} is written by others all the time: let one writer finish first")

    def _try_to_write(self, new: Day, replace: bool) -> WriteOutcome | None:
        """None where somebody else was faster, so that what they wrote has to be looked at."""
        key = self.key(new.symbol, new.interval, new.day)
        try:
            blob = self._storage.read(key, MAX_BYTES)
        except NotFound:
            return WriteOutcome.NEW if self._written(key, new, create_only=True) else None
        try:
            old = self._parsed(blob.data, new.symbol, new.interval, new.day)
        except CandleError:
            if not replace:
                raise
            return WriteOutcome.REPLACED if self._written(key, new, if_match=blob.etag) else None
        differences = new.differences(old)
        if differences.size and not replace:
            raise _other_candles(self._storage.uri(key), old, new, differences)
        if differences.size:
            return WriteOutcome.REPLACED if self._written(key, new.merged_over(old), if_match=blob.etag) else None
        if not (new.known & ~old.known).any():
            return WriteOutcome.UNCHANGED
        return WriteOutcome.EXTENDED if self._written(key, old.merged_over(new), if_match=blob.etag) else None

    def _written(self, key: str, day: Day, *, create_only: bool = False, if_match: str | None = None) -> bool:
        try:
            self._storage.write(key, day_to_parquet(day), create_only=create_only, if_match=if_match)
        except Conflict:
            return False
        return True

    def _parsed(self, data: bytes, symbol: str, interval: str, day: date) -> Day:
        try:
            return day_from_parquet(data, symbol, interval, day)
        except CandleError as error:
            where = self.uri(symbol, interval, day)
            raise CandleError(*(Fault(where + fault.pointer, fault.detail) for fault in error.faults)) from None

    def contents(self) -> str:
        """Which series the store has, with their first and last days, for an error message."""
        spans: dict[SeriesName, tuple[date, date]] = {}
        for symbol, interval, day in filter(None, map(_parsed_key, self._storage.list(PREFIX))):
            first, last = spans.get(SeriesName(symbol, interval), (day, day))
            spans[SeriesName(symbol, interval)] = min(first, day), max(last, day)
        if not spans:
            return "the store has no candles at all: get some with `coinfarm history download`, `import` or `generate`"
        named = [f"{symbol} {interval} from {first} to {last}" for (symbol, interval), (first, last) in sorted(spans.items())]
        more = f" and {len(named) - _SERIES_NAMED} other series" if len(named) > _SERIES_NAMED else ""
        return f"the store has {', '.join(named[:_SERIES_NAMED])}{more}"


def _folder(symbol: str, interval: str) -> str:
    try:
        _SYMBOL.validate_python(symbol)
    except ValidationError:
        detail = f"{symbol!r} is no symbol: up to 32 letters, digits, dots, dashes and underscores, such as BTCUSDT, without a slash"
        raise RequestError(Fault("/symbol", detail)) from None
    interval_ms(interval)
    return f"{PREFIX}symbol={symbol}/interval={interval}/"


def _parsed_key(key: str) -> tuple[str, str, date] | None:
    named = _KEY.fullmatch(key)
    try:
        return (named["symbol"], named["interval"], date.fromisoformat(named["day"])) if named and _folder(*named.groups()[:2]) else None
    except (RequestError, ValueError):
        return None


def _day_of_candles(candles: Candles, known_from_ms: int | None, known_to_ms: int | None) -> Day:
    if not len(candles):
        raise CandleError(Fault("/candles", "there is no candle to keep"))
    day, last = (day_of(int(candles.open_time[at])) for at in (0, -1))
    if day != last:
        raise CandleError(Fault("/candles", f"are of {day} up to {last}: keep one day at a time"))
    opens = day_start_ms(day) + np.arange(slots_per_day(candles.interval)) * candles.interval_ms
    known = np.ones(len(opens), np.bool_)
    if known_from_ms is not None:
        known &= opens >= known_from_ms
    if known_to_ms is not None:
        known &= opens < known_to_ms
    return Day.of(candles, day, known)


def _other_candles(where: str, old: Day, new: Day, differences: "np.typing.NDArray[np.intp]") -> Conflict:
    first = int(differences[0])
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Conflict(
        f"{where} differs from what is to be written, at {minute_text(new.time_of(first))} (stored {_candle_text(old, first)}, "
        f"new {_candle_text(new, first)}){more}: a stored day does not change. Where the new candles are the right ones, "
        "`coinfarm history import --replace` (or download, or generate) puts them in its place"
    )


def _candle_text(day: Day, slot: int) -> str:
    if not day.traded[slot]:
        return "no candle"
    return " ".join(f"{name} {value:.12g}" for name, value in zip(Columns._fields, day.values[slot], strict=True))
