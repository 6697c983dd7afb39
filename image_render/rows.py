"""The rows that each candle of a window fills: the content of a frame in 1 KB instead of 90.

`image_render.render` fills these rows on the CPU; an engine may fill them on its device.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec
from image_render.windows import Columns, Values

Rows = NDArray[np.uint8]


class RowNumbers(NamedTuple):
    """The lowest and highest row of each candle's body and wick, and the number of rows of its volume: `(N, window_candles)` each."""

    body_low: Values
    body_high: Values
    wick_low: Values
    wick_high: Values
    volume_height: Values


def row_numbers(windows: Columns, spec: FrameSpec = STANDARD) -> RowNumbers:
    """The rows of windows `(N, window_candles)`, as integral float64.

    Raises `ValueError` for windows of another length. Prices must be finite, which `coinfarm.candles` ensures.
    """
    candles = windows.close.shape[1]
    if candles != spec.window_candles:
        raise ValueError(f"a window has {spec.window_candles} candles, not {candles}")
    lowest = windows.low.min(axis=1, keepdims=True)
    price_range = windows.high.max(axis=1, keepdims=True) - lowest
    flat = price_range == 0
    price_range[flat] = 1
    offset = np.where(flat, spec.flat_row, 0)

    def row(price: Values) -> Values:
        scaled: Values = price - lowest
        scaled *= spec.price_rows - 1
        scaled /= price_range
        np.rint(scaled, out=scaled)
        scaled += offset
        return scaled

    opened, closed = row(windows.open), row(windows.close)
    highest_volume = windows.volume.max(axis=1, keepdims=True)
    highest_volume[highest_volume == 0] = 1
    volume_height: Values = np.rint(windows.volume * spec.price_rows / highest_volume)
    return RowNumbers(np.minimum(opened, closed), np.maximum(opened, closed), row(windows.low), row(windows.high), volume_height)


def pack_rows(windows: Columns, spec: FrameSpec = STANDARD, out: Rows | None = None) -> Rows:
    """The rows of windows `(N, window_candles)` as `uint8` `(N, window_candles, 5)`, the last axis as in `RowNumbers`.

    `out`, if given, is filled and returned. Raises the errors of `row_numbers`, and `ValueError` for an `out` of another shape and for
    frames with more than 255 rows.
    """
    if spec.price_rows > np.iinfo(np.uint8).max:
        raise ValueError(f"packed rows allow at most {np.iinfo(np.uint8).max} price rows, not {spec.price_rows}")
    rows = empty_rows(len(windows.close), spec) if out is None else out
    if rows.shape != (len(windows.close), spec.window_candles, len(RowNumbers._fields)):
        raise ValueError(f"out has the shape {rows.shape}, which does not match {len(windows.close)} windows")
    for number, values in enumerate(row_numbers(windows, spec)):
        rows[..., number] = values
    return rows


def planes_of_rows(rows: Rows, price_rows: int = STANDARD.price_rows) -> NDArray[np.uint8]:
    """The channel-first frames `(N, 3, window_candles, price_rows)` of any rows, also of those that no prices give."""
    body_low, body_high, wick_low, wick_high, volume = (rows[:, :, number, None] for number in range(rows.shape[2]))
    row = np.arange(price_rows)
    body, wick = (body_low <= row) & (row <= body_high), (wick_low <= row) & (row <= wick_high)
    return np.stack([body, wick, row < volume], axis=1).astype(np.uint8)


def rows_of_frames(frames: NDArray[np.uint8]) -> Rows | None:
    """The rows of frames `(N, window_candles, price_rows, 3)`, or None if candles cannot give these frames: a body or a wick is not one run
    of rows, or a volume does not start at the lowest row.
    """
    count, candles, price_rows, channels = frames.shape
    # A row of zeros between the columns: where a value differs from the one before, a run starts or has ended.
    padded = np.zeros((count, channels, candles, price_rows + 1), np.uint8)
    padded[..., :price_rows] = frames.transpose(0, 3, 1, 2)
    flat = padded.reshape(-1)
    if flat.max(initial=0) > 1:
        return None
    changes = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    starts, stops = changes[len(changes) % 2 :].reshape(-1, 2).T  # the 0 counts only if a run starts there
    column, first = np.divmod(starts, price_rows + 1)
    low, high = np.full((2, count, channels, candles), -1)
    low.reshape(-1)[column], high.reshape(-1)[column] = first, first + stops - starts - 1
    low[:, VOLUME][high[:, VOLUME] < 0] = 0
    if (column[1:] == column[:-1]).any() or (low < 0).any() or low[:, VOLUME].any():
        return None
    rows = (low[:, BODY], high[:, BODY], low[:, WICK], high[:, WICK], high[:, VOLUME] + 1)
    return np.stack(rows, axis=2).astype(np.uint8)


def empty_rows(count: int, spec: FrameSpec = STANDARD) -> Rows:
    """Uninitialised memory for the packed rows of `count` windows."""
    return np.empty((count, spec.window_candles, len(RowNumbers._fields)), np.uint8)
