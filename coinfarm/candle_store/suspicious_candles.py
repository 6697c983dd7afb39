"""Candles that are valid but look wrong: bad ticks, stuck prices, and volumes that no market has."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.sources.evidence import Prices
from coinfarm.candles.sources.outliers import bad_ticks
from coinfarm.reports.formatting import clock_text, minute_text

_MIN_STUCK = 60
_MIN_SAME_VOLUME = 30
_MAX_VOLUME_RATIO = 10_000
"""A volume that is larger by this factor than the day's median is suspicious."""


def suspicious_candles(candles: Candles) -> list[str]:
    """One line for each finding in the candles of a day."""
    return list(_findings(candles)) if len(candles) else []


def _findings(candles: Candles) -> Iterator[str]:
    prices, volume = Prices(*candles.columns[:4]), candles.columns.volume
    for at in bad_ticks(prices):
        yield f"{_at(candles, at)} bad tick? high {prices.high[at]:.10g}, low {prices.low[at]:.10g}"
    traded = volume > 0
    moves = prices.high > prices.low
    stuck = traded[1:] & ~moves[1:] & ~moves[:-1] & (prices.close[1:] == prices.close[:-1])
    for first, count in _runs(stuck, _MIN_STUCK - 1):
        last = clock_text(int(candles.open_time[first + count]))
        yield f"{_at(candles, first)} to {last} stuck price? {count + 1:,} candles at {prices.close[first]:.10g}, though there is a volume"
    if not traded.any():
        if np.count_nonzero(moves) > len(volume) // 2:
            yield f"{_at(candles, 0)[:10]} no volume all day, though prices move: index or mark prices?"
        return
    same = traded[1:] & (volume[1:] == volume[:-1])
    for first, count in _runs(same, _MIN_SAME_VOLUME - 1):
        yield f"{_at(candles, first)} suspicious volume: {count + 1:,} candles of {volume[first]:.10g} each"
    median = float(np.median(volume[traded]))
    for at in np.flatnonzero(volume > _MAX_VOLUME_RATIO * median)[:10]:
        yield f"{_at(candles, at)} suspicious volume: {volume[at]:.10g}, the day's median is {median:.10g}"


def _runs(mask: NDArray[np.bool_], min_length: int) -> list[tuple[int, int]]:
    """Start and length of each run of True that is long enough."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(stop - start)) for start, stop in zip(starts, stops, strict=True) if stop - start >= min_length]


def _at(candles: Candles, at: "int | np.intp") -> str:
    return minute_text(int(candles.open_time[at]))
