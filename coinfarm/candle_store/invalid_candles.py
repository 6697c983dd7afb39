"""All invalid candles, by time. (Validation of a request reports the first ten errors, by index.)"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Times
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError
from coinfarm.reports.formatting import minute_text
from image_render.windows import Columns


@dataclass(frozen=True)
class InvalidCandle:
    """One error: the candle's open time in milliseconds UTC, the field, and what is wrong with it."""

    open_time_ms: int
    field: str
    detail: str

    def __str__(self) -> str:
        return f"{minute_text(self.open_time_ms)} {self.field} {self.detail}"


def all_invalid_candles(open_time: Times, columns: Columns, interval: str) -> list[InvalidCandle]:
    """All errors in candles, in the order of the candles; `open_time` is in milliseconds UTC."""
    return list(_invalid_candles(open_time, columns, interval))


def _invalid_candles(open_time: Times, columns: Columns, interval: str) -> Iterator[InvalidCandle]:
    for at, time_ms in enumerate(open_time.tolist()):
        try:
            Candles.checked("", interval, open_time[at : at + 1], Columns(*(column[at : at + 1] for column in columns)))
        except CandleError as error:
            for item in error.errors:
                yield InvalidCandle(time_ms, item.pointer.rpartition("/")[2], item.detail)
        if at and time_ms == open_time[at - 1]:
            yield InvalidCandle(time_ms, "openTime", _duplicate_detail(columns, at))
        elif at and time_ms < open_time[at - 1]:
            yield InvalidCandle(time_ms, "openTime", f"comes after {minute_text(int(open_time[at - 1]))}")


def _duplicate_detail(columns: Columns, at: int) -> str:
    alike = np.array_equal([column[at] for column in columns], [column[at - 1] for column in columns], equal_nan=True)
    return "is a duplicate with the same values" if alike else "is a duplicate with other values"
