"""Candles in a temporary file, between the checks of a large file and its days in the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day
from coinfarm.storage.local_file import temporary_file, write_temporary
from image_render.windows import Columns


class CandleSpool:
    """Candles of one series in a `temporary_file`, written part by part and read day by day."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lengths: list[int] = []
        self._series = ("", "")
        self._days: set[int] = set()

    def __len__(self) -> int:
        return sum(self._lengths)

    @property
    def day_count(self) -> int:
        """The number of UTC days that have a candle."""
        return len(self._days)

    def append(self, candles: Candles) -> None:
        """Add candles that are later than all before. Raises `OSError`, which names the folder of temporary files."""
        for column in (candles.open_time, *candles.columns):
            write_temporary(self._file, np.ascontiguousarray(column).data)
        self._lengths.append(len(candles))
        self._series = candles.symbol, candles.interval
        self._days.update(np.unique(candles.open_time // DAY_MS).tolist())

    def days(self) -> Iterator[Candles]:
        """The candles of each UTC day that has any, oldest first."""
        self._file.seek(0)
        rest: list[Candles] = []
        for length in self._lengths:
            *whole, last = by_day(Candles.concatenate(*self._series, [*rest, self._read(length)]))
            yield from whole
            rest = [last]
        yield from rest

    def _read(self, length: int) -> Candles:
        open_time = np.fromfile(self._file, np.int64, length)
        columns = Columns(*(np.fromfile(self._file, np.float64, length) for _ in Columns._fields))
        return Candles(*self._series, open_time, columns, np.zeros(length, np.bool_))


@contextmanager
def open_spool() -> Iterator[CandleSpool]:
    """An empty spool, which is removed at the end."""
    with temporary_file() as file:
        yield CandleSpool(file)
