"""What is wrong with candles, named by their time: all of it, where a request's error names the first ten by their place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Times
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError
from coinfarm.reports.formatting import minute_text
from image_render.windows import Columns


@dataclass(frozen=True)
class CandleFault:
    """One mistake: the candle's open time in milliseconds UTC, the field, and what is wrong with it."""

    open_time_ms: int
    field: str
    detail: str

    def __str__(self) -> str:
        return f"{minute_text(self.open_time_ms)} {self.field} {self.detail}"


def all_candle_faults(open_time: Times, columns: Columns, interval: str) -> list[CandleFault]:
    """Every fault of the candles, which lie in the order in which they were found; `open_time` in milliseconds UTC."""
    return list(_faults(open_time, columns, interval))


def _faults(open_time: Times, columns: Columns, interval: str) -> Iterator[CandleFault]:
    for at, time_ms in enumerate(open_time.tolist()):
        try:
            Candles.checked("", interval, open_time[at : at + 1], Columns(*(column[at : at + 1] for column in columns)))
        except CandleError as error:
            for fault in error.faults:
                yield CandleFault(time_ms, fault.pointer.rpartition("/")[2], fault.detail)
        if at and time_ms == open_time[at - 1]:
            yield CandleFault(time_ms, "openTime", _double(columns, at))
        elif at and time_ms < open_time[at - 1]:
            yield CandleFault(time_ms, "openTime", f"comes after {minute_text(int(open_time[at - 1]))}")


def _double(columns: Columns, at: int) -> str:
    alike = np.array_equal([column[at] for column in columns], [column[at - 1] for column in columns], equal_nan=True)
    return "is there twice, with the same values" if alike else "is there twice, with other values"
