"""The folders of a candle store: one for each symbol and interval, by default named in their canonical spelling."""

import re
from collections import defaultdict
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from coinfarm.candles.interval import canonical_interval, interval_spellings
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import Conflict, InvalidInput
from coinfarm.storage import Storage

PREFIX = "candles/"
_KEY = re.compile(
    r"(?P<folder>" + PREFIX + r"symbol=(?P<symbol>[^/]+)/interval=(?P<interval>[^/]+)/)date=(?P<day>\d{4}-\d\d-\d\d)\.parquet"
)


class SeriesName(NamedTuple):
    """The symbol and interval of a series."""

    symbol: str
    interval: str

    @classmethod
    def canonical(cls, symbol: str, interval: str) -> "SeriesName":
        """In the canonical spelling. Raises `InvalidInput` for an invalid symbol or interval."""
        return cls(canonical_symbol(symbol), canonical_interval(interval))


class StoredDay(NamedTuple):
    """The series, the folder and the day of a stored file. The folder may have another spelling than the series."""

    series: SeriesName
    folder: str
    day: date


class SeriesFolders:
    """Finds the folder of a series in a storage. Folders of earlier versions may have another spelling, such as `BTC-USD` or `60m`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._found: dict[SeriesName, str] = {}

    def folder(self, symbol: str, interval: str) -> str:
        """The folder that has days of the series; the canonical one if there is none.

        Raises `InvalidInput` for an invalid symbol or interval, and `Conflict` if the series is stored under two intervals, or only under
        several other symbols.
        """
        series = SeriesName.canonical(symbol, interval)
        if series not in self._found:
            found = self._in_use(series, symbol)
            if not found:
                return _folder(*series)
            self._found[series] = found
        return self._found[series]

    def conflicts(self) -> list[str]:
        """What is wrong with each series that is stored in several folders, and the remedy."""
        folders = defaultdict(set)
        for stored in self.days():
            folders[stored.series].add(stored.folder)
        return [self._conflict_text(series, sorted(each)) for series, each in sorted(folders.items()) if len(each) > 1]

    def days(self) -> "list[StoredDay]":
        """Every stored day."""
        return [stored for stored in map(parse_key, self._storage.list(PREFIX)) if stored]

    def _in_use(self, series: SeriesName, symbol: str) -> str | None:
        # Reading all keys of a large store takes seconds: it is the last resort.
        for spelling in dict.fromkeys((series.symbol, symbol)):
            if "/" in spelling:
                continue
            folders = [_folder(spelling, interval) for interval in interval_spellings(series.interval)]
            in_use = [folder for folder in folders if self._has_days(folder)]
            if in_use:
                return self._only(series, in_use)
        others = {stored.folder for stored in self.days() if stored.series == series}
        return self._only(series, sorted(others)) if others else None

    def _has_days(self, folder: str) -> bool:
        return any(parse_key(key) for key in self._storage.list(folder))

    def _only(self, series: SeriesName, folders: list[str]) -> str:
        if len(folders) > 1:
            raise Conflict(self._conflict_text(series, folders))
        return folders[0]

    def _conflict_text(self, series: SeriesName, folders: list[str]) -> str:
        named = " and ".join(self._storage.uri(folder.rstrip("/")) for folder in folders)
        return (
            f"{series.symbol} {series.interval} is stored in several folders, {named}: move all files into {_folder(*series)}, "
            "the spelling of new files, or remove the other folders"
        )


def parse_key(key: str) -> StoredDay | None:
    """The day of a key; None for other files."""
    match = _KEY.fullmatch(key)
    if not match:
        return None
    with suppress(InvalidInput, ValueError):
        return StoredDay(SeriesName.canonical(match["symbol"], match["interval"]), match["folder"], date.fromisoformat(match["day"]))
    return None


def _folder(symbol: str, interval: str) -> str:
    return f"{PREFIX}symbol={symbol}/interval={interval}/"
