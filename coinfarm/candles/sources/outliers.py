"""Candles that do not belong to the others: stray rows, bad ticks, and prices of another coin."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.sources.cleaning import Note, more_text
from coinfarm.candles.sources.columns import MeantColumns
from coinfarm.candles.sources.evidence import Prices
from coinfarm.errors import CandleError, ErrorDetail
from coinfarm.reports.formatting import minute_text, number_text

_DAY_MS = 86_400_000
_STRAY_GAP_MS, _SHORT_STRAY_GAP_MS = 30 * _DAY_MS, 7 * _DAY_MS
_MAX_STRAYS = 3
_MAX_JUMPS = 8
_LEVEL_CANDLES, _MIN_LEVEL_CANDLES = 20, 5


def check_strays(columns: MeantColumns) -> None:
    """Raise `CandleError` for a few rows that are months away from all others, or a week, if that is longer than the others' period."""
    time = columns.open_time
    if len(time) < 20:
        return
    gaps = np.diff(time)
    for at in np.flatnonzero(gaps > _SHORT_STRAY_GAP_MS):
        if gaps[at] <= min(_STRAY_GAP_MS, np.ptp(time) - gaps[at]):
            continue
        before, after = int(at) + 1, len(time) - int(at) - 1
        if min(before, after) > _MAX_STRAYS:
            continue
        stray, near = (at, at + 1) if before <= after else (at + 1, at)
        raise CandleError(
            ErrorDetail(
                "",
                f"{columns.place(int(stray))}: {minute_text(int(time[stray]))} is {number_text(gaps[at] / _DAY_MS, 0)} days away from "
                f"the other candles, the nearest at {minute_text(int(time[near]))}: correct or remove it",
            )
        )


def check_jumps(columns: MeantColumns, note: Note) -> None:
    """Raise `CandleError` for a price that doubles or halves from one candle to the next and stays there, as where two coins were joined.

    Of one that comes back, as after a bad tick, there is a note, unless that is the rule.
    """
    prices, time = columns.prices, columns.open_time
    opens, closes = prices.open[1:], prices.close[:-1]
    at = np.flatnonzero((np.diff(time) <= _DAY_MS) & ((opens > 2 * closes) | (closes > 2 * opens)))
    if not len(at):
        return
    stays = next((int(jump) for jump in at[:_MAX_JUMPS] if _changes_level(prices.close, int(jump) + 1)), None)
    first = int(at[0]) if stays is None else stays
    where = (
        f"the price jumps from {closes[first]:.10g} to {opens[first]:.10g} at {minute_text(int(time[first + 1]))} "
        f"({columns.place(first + 1)}){more_text(len(at))}"
    )
    if len(at) >= max(_MAX_JUMPS, 0.02 * len(time)):
        raise CandleError(ErrorDetail("", f"has two coins in one file, because {where}: save one file for each"))
    if stays is not None:
        raise CandleError(
            ErrorDetail(
                "",
                f"has two coins in one file, or one that was split, because {where} and stays there: save one file for each part",
            )
        )
    note(f"a bad tick, or two coins in one file? {where[0].upper()}{where[1:]}")


def _changes_level(close: Values, at: int) -> bool:
    """Whether the prices from candle `at` on are more than twice or less than half of those before it."""
    before, after = close[max(0, at - _LEVEL_CANDLES) : at], close[at : at + _LEVEL_CANDLES]
    if min(len(before), len(after)) < _MIN_LEVEL_CANDLES:
        return False
    ratio = float(np.median(after) / np.median(before))
    return not 0.5 <= ratio <= 2


def warn_of_bad_ticks(columns: MeantColumns, note: Note) -> None:
    """Note candles whose range is more than a hundred times that of their neighbours."""
    at = bad_ticks(columns.prices)
    if len(at):
        first = int(at[0])
        note(
            f"a bad tick? The candle of {minute_text(int(columns.open_time[first]))} ({columns.place(first)}) has a high of "
            f"{columns.prices.high[first]:.10g} and a low of {columns.prices.low[first]:.10g}{more_text(len(at))}"
        )


def bad_ticks(prices: Prices) -> NDArray[np.intp]:
    """The candles whose range is over 100 times the median range of the 40 around them, and over 20 % of the price."""
    spread = (prices.high - prices.low) / prices.low
    suspects = np.flatnonzero(spread > 0.2)
    return np.array([at for at in suspects if spread[at] > 100 * np.median(spread[max(0, at - 20) : at + 21])], np.intp)
