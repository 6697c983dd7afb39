"""Renders windows to frames, vectorised.

In each channel, a candle fills one run of rows. A table of all possible runs is computed once; a frame is then 600 rows copied from it.
In memory a frame is channel first; the caller sees the axis order of `FrameSpec`.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from image_render.rows import row_numbers
from image_render.spec import BODY, CHANNEL_COUNT, STANDARD, VOLUME, WICK, FrameSpec
from image_render.windows import Columns

Frames = NDArray[np.uint8]


def render_frames(windows: Columns, spec: FrameSpec = STANDARD, out: Frames | None = None) -> Frames:
    """Render windows `(N, window_candles)` as frames, `uint8` `(N, window_candles, price_rows, 3)`.

    `out`, if given, is the result of `empty_frames` or a slice of it along the first axis; it is filled and returned.
    Raises `ValueError` for shapes that do not match. Prices must be finite, which `coinfarm.candles` ensures.
    """
    count = len(windows.close)
    frames = empty_frames(count, spec) if out is None else out
    if frames.shape != (count, *spec.shape):
        raise ValueError(f"out must have the shape {(count, *spec.shape)}, not {frames.shape}")
    planes = as_planes(frames)
    if not planes.flags.c_contiguous:
        raise ValueError("out must come from empty_frames")
    # Every index is within the table, so "clip" changes nothing; "raise" would need a buffer and a copy.
    np.take(_runs(spec.price_rows), _run_indices(windows, spec), axis=0, out=planes, mode="clip")
    return frames


def empty_frames(count: int, spec: FrameSpec = STANDARD) -> Frames:
    """Uninitialised memory for frames, in the layout that `render_frames` needs."""
    planes = np.empty((count, CHANNEL_COUNT, spec.window_candles, spec.price_rows), np.uint8)
    return planes.transpose(0, 2, 3, 1)


def as_planes(frames: Frames) -> Frames:
    """A channel-first view, `(N, 3, candles, rows)`, of frames `(N, candles, rows, 3)`: contiguous for frames of `render_frames`."""
    return frames.transpose(0, 3, 1, 2)


def _run_indices(windows: Columns, spec: FrameSpec) -> NDArray[np.intp]:
    """The row of the table for each candle and channel, `(N, 3, window_candles)`."""
    rows = spec.price_rows
    numbers = row_numbers(windows, spec)
    count, candles = windows.close.shape
    indices = np.empty((count, CHANNEL_COUNT, candles), np.intp)
    indices[:, BODY] = numbers.body_low * rows + numbers.body_high
    indices[:, WICK] = numbers.wick_low * rows + numbers.wick_high
    indices[:, VOLUME] = rows * rows + numbers.volume_height
    return indices


@lru_cache(maxsize=4)
def _runs(rows: int) -> Frames:
    """Every run that a candle can fill: rows `first … last` at index `first * rows + last`, then `0 … n - 1` at `rows² + n`."""
    first, last, row = np.ogrid[:rows, :rows, :rows]
    price_runs = ((first <= row) & (row <= last)).reshape(rows * rows, rows)
    volume_runs = np.arange(rows) < np.arange(rows + 1)[:, None]
    table = np.concatenate([price_runs, volume_runs]).view(np.uint8)
    table.flags.writeable = False
    return table
