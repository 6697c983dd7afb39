"""Putting rows in order and dropping those that are no candles. Each step counts what it drops."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.sources.columns import NUMBERS, MeantColumns
from coinfarm.candles.sources.times import NO_TIME
from coinfarm.errors import CandleError, ErrorDetail
from coinfarm.reports.formatting import minute_text, plural_text

Note = Callable[[str], None]
_FIELDS = ("open", "high", "low", "close", "volume")


@dataclass
class DroppedRows:
    """How many rows were dropped, by reason, and when the first off the interval's grid was. Those of parts of a file can be added."""

    unfinished: int = 0
    without_prices: int = 0
    duplicates: int = 0
    off_grid: int = 0
    first_off_grid: str = ""

    def __len__(self) -> int:
        return self.unfinished + self.without_prices + self.duplicates + self.off_grid

    def __add__(self, later: "DroppedRows") -> "DroppedRows":
        return DroppedRows(
            self.unfinished + later.unfinished,
            self.without_prices + later.without_prices,
            self.duplicates + later.duplicates,
            self.off_grid + later.off_grid,
            self.first_off_grid or later.first_off_grid,
        )

    def notes(self) -> list[str]:
        """A line for each reason."""
        counts = {
            "unfinished candle": self.unfinished,
            "row without prices": self.without_prices,
            "identical duplicate": self.duplicates,
        }
        notes = [f"{plural_text(count, noun)} dropped" for noun, count in counts.items() if count]
        if self.off_grid:
            off_grid = plural_text(self.off_grid, "candle")
            notes.append(f"{off_grid} dropped that do not open on the interval's grid, the first at {self.first_off_grid}")
        return notes


def ignore(_note: str) -> None:
    """Takes notes that nobody reads."""


def without_gaps_in_rows(columns: MeantColumns, dropped: DroppedRows | None = None) -> MeantColumns:
    """The rows that have a time and a price: Kaggle's sets have a row of NaN for each minute without a trade."""
    time = columns.arrays["open_time" if "open_time" in columns.arrays else "close_time"]
    has_time = time != NO_TIME
    nothing = np.ones(len(columns), np.bool_)
    for name in ("open", "high", "low", "close"):
        nothing &= np.isnan(columns.arrays[name])
    without_time = ~has_time & ~nothing
    if without_time.any():
        first = int(without_time.argmax())
        raise CandleError(ErrorDetail("", f"{columns.place(first)}: the time is missing" + more_text(int(without_time.sum()))))
    if not nothing.any():
        return columns
    if dropped is not None:
        dropped.without_prices = int(nothing.sum())
    return columns.take(~nothing)


def finished(columns: MeantColumns, dropped: DroppedRows) -> MeantColumns:
    """The candles that the source says are finished."""
    if "confirm" not in columns.arrays:
        return columns
    done = columns.arrays["confirm"]
    dropped.unfinished = int((~done).sum())
    return columns.take(done)


def in_time_order(columns: MeantColumns, note: Note = ignore) -> MeantColumns:
    """Sorted from oldest to newest."""
    name = "open_time" if "open_time" in columns.arrays else "close_time"
    time = columns.arrays[name]
    steps = np.diff(time)
    if (steps >= 0).all():
        return columns
    if (steps <= 0).all():
        note("newest first: sorted")
        return columns.take(np.arange(len(time))[::-1])
    note(f"{plural_text(int((steps < 0).sum()), 'row')} out of order: sorted")
    return columns.take(np.argsort(time, kind="stable"))


def without_duplicates(columns: MeantColumns, dropped: DroppedRows) -> MeantColumns:
    """Each candle once. Raises `CandleError` for two different candles of one time, which it names."""
    time = columns.open_time
    again = np.flatnonzero(np.diff(time) == 0) + 1
    if not len(again):
        return columns
    values = np.stack([columns.arrays[name] for name in _FIELDS])
    differs = ~np.isclose(values[:, again], values[:, again - 1], rtol=1e-9, atol=0, equal_nan=True).all(axis=0)
    if differs.any():
        second = int(again[differs.argmax()])
        texts = (f"{columns.place(at)} ({', '.join(f'{value:.10g}' for value in values[:, at])})" for at in (second - 1, second))
        times = minute_text(int(time[second]))
        raise CandleError(
            ErrorDetail(
                "",
                f"has different candles of {times}: {' and '.join(texts)}{more_text(int(differs.sum()))}"
                f"{_about_duplicates(columns, again[differs])}",
            )
        )
    dropped.duplicates = len(again)
    once = np.ones(len(time), np.bool_)
    once[again] = False
    return columns.take(once)


def on_grid(columns: MeantColumns, step_ms: int, dropped: DroppedRows) -> MeantColumns:
    """Without the few rows that are off the interval's grid, as 1,202 minutes of Binance's February 2018 are; many are left to be found."""
    off = columns.open_time % step_ms != 0
    count = int(off.sum())
    if not count or count > 0.1 * len(off):
        return columns
    dropped.off_grid = count
    dropped.first_off_grid = _second_text(int(columns.open_time[int(off.argmax())]))
    return columns.take(~off)


def only_used(columns: MeantColumns) -> MeantColumns:
    """Without the arrays that have served their purpose."""
    kept: dict[str, NDArray[Any]] = {name: columns.arrays[name] for name in ("open_time", *NUMBERS[:5])}
    return replace(columns, arrays=kept)


def more_text(count: int) -> str:
    """`, and 3 more` after the first of four."""
    return f", and {count - 1:,} more" if count > 1 else ""


def _second_text(time_ms: int) -> str:
    return f"{minute_text(time_ms)}:{time_ms // 1000 % 60:02d}"


def _about_duplicates(columns: MeantColumns, at: NDArray[np.intp]) -> str:
    """What the cause may be: two coins in one file, or a clock that was set back."""
    if len(at) > 0.3 * len(np.unique(columns.open_time)):
        return ". There may be two coins in the file: save one file for each"
    span_ms = int(columns.open_time[at[-1]] - columns.open_time[at[0]])
    if columns.is_clock and span_ms < 7_200_000:
        return ". A clock that is set back shows an hour twice: give its --timezone"
    return ". Keep the right one of each"
