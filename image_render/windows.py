"""Overlapping windows of a series of candles, as views."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_render.spec import STANDARD, FrameSpec

Values = NDArray[np.float64]


class Columns(NamedTuple):
    """Candles as columns of float64: each `(n,)` for a series, `(N, window_candles)` for its windows."""

    open: Values
    high: Values
    low: Values
    close: Values
    volume: Values


def window_count(candle_count: int, spec: FrameSpec = STANDARD, stride: int = 1) -> int:
    """The number of windows, `stride` candles apart, in a series."""
    return max(0, (candle_count - spec.window_candles) // stride + 1)


def windows(series: Columns, spec: FrameSpec = STANDARD, stride: int = 1) -> Columns:
    """All windows of a series, oldest first, as read-only views `(N, window_candles)`.

    Raises `ValueError` for a series shorter than one window, or a `stride` below 1.
    """
    candle_count = len(series.close)
    if stride < 1:
        raise ValueError(f"the stride must be at least 1 candle, not {stride}")
    if candle_count < spec.window_candles:
        raise ValueError(f"a window has {spec.window_candles} candles, but the series has only {candle_count}")
    return Columns(*(np.lib.stride_tricks.sliding_window_view(column, spec.window_candles)[::stride] for column in series))


def window_range_pct(window: Columns) -> Values:
    """Each window's own price range, `(N,)`, in percent of its last close, which its image does not show."""
    price_range = window.high.max(axis=1) - window.low.min(axis=1)
    percent: Values = 100.0 * price_range / window.close[:, -1]
    return percent
