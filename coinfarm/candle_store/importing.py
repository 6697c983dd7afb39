"""Import of candle files of any source into the store."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from coinfarm.candle_store.archive import ArchiveName, check_checksum
from coinfarm.candle_store.spool import open_spool
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.arrays import Times
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day
from coinfarm.candles.files import MissingSeriesName, Reading, read_candles
from coinfarm.candles.large_files import MustBeReadAtOnce, PartReader
from coinfarm.candles.sources.cleaning import DroppedRows
from coinfarm.candles.sources.compression import blocks_of
from coinfarm.errors import CandleError, CoinfarmError, Conflict, ErrorDetail, system_error_text
from coinfarm.reports.formatting import minute_text, plural_text
from coinfarm.storage.local_file import temporary_copy
from coinfarm.storage.read_ahead import read_ahead

_HOUR_MS = 3_600_000
_WRITERS = 16
"""Days that are written at the same time: most of the time is spent waiting for the disk or the network."""


@dataclass
class ImportResult:
    """The outcome for one file: its series, its number of candles, the number of days by write outcome, and errors."""

    file: str
    symbol: str = ""
    interval: str = ""
    candles: int = 0
    days: Counter[WriteOutcome] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    source: str = ""
    notes: tuple[str, ...] = ()
    """What was dropped or sorted, or looks wrong."""
    lacks_series_name: bool = False
    """Whether it was rejected because symbol and interval are unknown."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "file": self.file,
            "symbol": self.symbol,
            "interval": self.interval,
            "candles": self.candles,
            "days": {str(written): self.days[written] for written in WriteOutcome},
            "refused": self.rejected,
            "source": self.source,
            "notes": list(self.notes),
        }


def import_file(
    store: CandleStore,
    path: Path,
    *,
    symbol: str | None = None,
    interval: str | None = None,
    timezone: str | None = None,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ImportResult:
    """Store the candles of a file (of standard input for `-`) by day; symbol and interval are read from its name unless they are given.

    A file covers the time from its first candle to its last (a zip of Binance's archive: all of its month or day), so its first and last
    day may be incomplete, until another file covers the rest. Minutes that are missing in it had no trades, unless they are more than an
    hour in one piece: those may be missing in the file alone, so they are unknown (except in such a zip). Its last candle may not have
    been finished when it was written, so a later file may change it, unless it ends a day. Days that differ from the stored ones are
    rejected, unless `replace`. An unreadable file is rejected completely. `progress` is called with the number of days done and in total.
    A large file is checked part by part, into a temporary file, before its first day is stored; a compressed one is unpacked into another.

    Raises `StorageError` if the store fails, and `InvalidInput` for an invalid symbol.
    """
    outcome = ImportResult(str(path))
    with ExitStack() as files:
        try:
            checked = _checked(path, symbol, interval, timezone, files)
        except CoinfarmError as error:
            outcome.rejected.append(f"{path}: {str(error).removeprefix(f'{path.name}: ')}")
            outcome.lacks_series_name = isinstance(error, MissingSeriesName)
            return outcome
        except OSError as error:
            error.filename = error.filename or str(path)
            outcome.rejected.append(system_error_text(error))
            return outcome
        outcome.symbol, outcome.interval, outcome.candles = checked.symbol, checked.interval, checked.candles
        outcome.source, outcome.notes = checked.source, (*checked.notes, *checked.covered.notes())
        _store(store, checked, outcome, replace, progress)
    return outcome


def _store(store: CandleStore, checked: "_Checked", outcome: ImportResult, replace: bool, progress: Callable[[int, int], None]) -> None:
    """Write the days, and count them in the result."""
    covered = checked.covered

    def write(day: Candles) -> WriteOutcome | CandleError | Conflict:
        try:
            return store.write_day(
                day,
                known_from_ms=covered.start_ms,
                known_to_ms=covered.stop_ms,
                unknown=covered.gaps_around(int(day.open_time[0]), int(day.open_time[-1])),
                replace=replace,
            )
        except (CandleError, Conflict) as error:
            return error

    for done, (_, written) in enumerate(read_ahead(write, checked.days, _WRITERS), 1):
        if isinstance(written, WriteOutcome):
            outcome.days[written] += 1
        else:
            outcome.rejected.append(f"{outcome.file}: {written}")
        progress(done, checked.day_count)


@dataclass(frozen=True, eq=False)
class _Covered:
    """The time `[start_ms, stop_ms)` that a file covers, except its gaps `[gap_starts, gap_stops)`, each `(n,)`, milliseconds UTC."""

    start_ms: int
    stop_ms: int
    gap_starts: Times = field(default_factory=lambda: np.zeros(0, np.int64))
    gap_stops: Times = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def by(cls, candles: Candles) -> "_Covered":
        """From the first candle to the last, which may be unfinished unless it ends a day, except gaps of more than an hour."""
        step_ms, times = candles.interval_ms, candles.open_time
        stop_ms = int(times[-1]) + step_ms
        at = np.flatnonzero(np.diff(times) > step_ms + _HOUR_MS)
        return cls(int(times[0]), stop_ms if stop_ms % DAY_MS == 0 else stop_ms - step_ms, times[at] + step_ms, times[at + 1])

    @classmethod
    def joined(cls, parts: "list[_Covered]") -> "_Covered":
        """By a file whose parts cover these times, without gaps between them."""
        gaps = (np.concatenate([getattr(part, name) for part in parts]) for name in ("gap_starts", "gap_stops"))
        return cls(parts[0].start_ms, parts[-1].stop_ms, *gaps)

    def gaps_around(self, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
        """The gaps before, between and after the candles of a day, the first and the last of which open at these times."""
        start, stop = np.searchsorted(self.gap_stops, first_ms), np.searchsorted(self.gap_starts, last_ms + DAY_MS)
        return list(zip(self.gap_starts[start:stop].tolist(), self.gap_stops[start:stop].tolist(), strict=True))

    def notes(self) -> list[str]:
        if not len(self.gap_starts):
            return []
        count = plural_text(len(self.gap_starts), "gap")
        return [f"{count} of more than an hour, the first at {minute_text(int(self.gap_starts[0]))}: unknown, not without trades"]


@dataclass(frozen=True)
class _Checked:
    """The content of a file that passed the checks: its series, `candles` in number, and the candles of each of its days."""

    symbol: str
    interval: str
    candles: int
    source: str
    notes: tuple[str, ...]
    covered: _Covered
    days: Iterable[Candles]
    day_count: int


def _checked(path: Path, symbol: str | None, interval: str | None, timezone: str | None, files: ExitStack) -> _Checked:
    """Read a file; temporary files, which may have the candles of a large one, are open until `files` is closed."""
    file = _open(path, files)
    check_checksum(path, file)
    try:
        return _checked_in_parts(path, PartReader(symbol, interval, timezone).read(file, path.name), files)
    except MustBeReadAtOnce:
        file.seek(0)
        reading = read_candles(file.read(), path.name, symbol=symbol, interval=interval, timezone=timezone)
    candles = reading.candles
    covered = _archive_period(path, candles, candles) or _Covered.by(candles)
    days = list(by_day(candles))
    return _Checked(candles.symbol, candles.interval, len(candles), reading.source, reading.notes, covered, days, len(days))


def _open(path: Path, files: ExitStack) -> IO[bytes]:
    """The file at its start; of standard input and of pipes, which cannot be read twice, a temporary copy."""
    if str(path) == "-":
        return files.enter_context(temporary_copy(blocks_of(sys.stdin.buffer.read)))
    file = files.enter_context(path.open("rb"))
    return file if path.is_file() else files.enter_context(temporary_copy(blocks_of(file.read)))


def _checked_in_parts(path: Path, parts: Iterator[Reading], files: ExitStack) -> _Checked:
    """Raises `MustBeReadAtOnce`, and `OSError`."""
    first = last = next(parts)
    spool, covered, dropped = files.enter_context(open_spool()), [], DroppedRows()
    for last in chain([first], parts):
        spool.append(last.candles)
        dropped += last.dropped
        covered.append(_Covered.by(last.candles))
    period = _archive_period(path, first.candles, last.candles) or _Covered.joined(covered)
    notes = (*dropped.notes(), *first.general_notes)
    symbol, interval, source = first.candles.symbol, first.candles.interval, first.source
    return _Checked(symbol, interval, len(spool), source, notes, period, spool.days(), spool.day_count)


def _archive_period(path: Path, first: Candles, last: Candles) -> _Covered | None:
    """The time that a zip of Binance's archive covers, whose first and last parts are given; None for other files.

    Raises `CandleError` for a candle outside of it.
    """
    archive = ArchiveName.parse(path.name)
    if archive is None or path.suffix != ".zip":
        return None
    for time_ms in (int(first.open_time[0]), int(last.open_time[-1])):
        if not archive.start_ms <= time_ms <= archive.stop_ms - last.interval_ms:
            raise CandleError(ErrorDetail("", f"has a candle of {minute_text(time_ms)}, which is outside of the period in its name"))
    return _Covered(archive.start_ms, archive.stop_ms)
