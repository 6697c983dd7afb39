"""Finds out by probing whether the first layers of a network are linear in single candles, whatever operations compute them."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.column_tables import ColumnTables
from image_render.render import Frames, as_planes
from image_render.rows import Rows, planes_of_rows
from image_render.spec import CHANNEL_COUNT, STANDARD

Probe = Callable[[Frames], NDArray[np.float32]]
"""The layers: planes `(N, 3, 200, 150)` to their output `(N, …)`."""

PROBED_AT_ONCE = 50
_MAX_OFFSETS = 16
_TOLERANCE = 1e-4
"""Of the largest table value or bias: the layer itself rounds a sum of 450 products or more in float32."""


def probed_tables(probe: Probe, lengths: list[int]) -> Iterator[tuple[int, ColumnTables]]:
    """For each axis of the layer's output that can be the position in time, the tables that its responses to single pixels yield."""
    count, rows = STANDARD.window_candles, STANDARD.price_rows
    blank = np.zeros((1, CHANNEL_COUNT, count, rows), np.uint8)
    single = np.zeros((count, CHANNEL_COUNT, count, rows), np.uint8)
    at = np.arange(count)
    single[at, :, at] = np.random.default_rng(0).integers(0, 2, (count, CHANNEL_COUNT, rows))
    without, responses = probe(blank), probe(single)
    if len(responses) != count:
        return  # a reshape merged frames and candles
    is_changed = responses != without
    for axis, positions in enumerate(lengths, start=1):
        if not 2 <= positions <= count:
            continue
        # (candles, positions): which candle changes which position
        changed = np.moveaxis(is_changed, axis, 1).reshape(count, positions, -1).any(axis=2)
        geometry = _geometry(changed)
        if geometry is None:
            continue
        stride, offsets = geometry
        yield axis, _probed(probe, axis, stride, offsets, features_of(without, axis)[0])


def _geometry(changed: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]] | None:
    """The stride and the offsets of a layer that moves along the candles; None for any other."""
    count, positions = changed.shape
    for stride in range(1, count // positions + 2):
        offsets = np.unique(np.concatenate([np.flatnonzero(changed[:, at]) - stride * at for at in range(positions)]))
        if len(offsets) == 0 or len(offsets) > _MAX_OFFSETS:
            continue
        candles = stride * np.arange(positions)[:, None] + offsets
        expected = np.zeros((positions, count), np.bool_)
        inside = (candles >= 0) & (candles < count)
        expected[np.nonzero(inside)[0], candles[inside]] = True
        if (changed == expected.T).all():
            return stride, offsets.astype(np.int32)
    return None


def _probed(probe: Probe, axis: int, stride: int, offsets: NDArray[np.int32], bias: NDArray[np.float32]) -> ColumnTables:
    """The tables of the weights at the position in the middle."""
    middle = min(len(bias) // 2, (STANDARD.window_candles - 1 - int(offsets.max())) // stride)
    pixels = np.arange(CHANNEL_COUNT * STANDARD.price_rows)
    weights = []
    for offset in offsets:
        planes = np.zeros((len(pixels), CHANNEL_COUNT, STANDARD.window_candles, STANDARD.price_rows), np.uint8)
        planes[pixels, pixels // STANDARD.price_rows, stride * middle + offset, pixels % STANDARD.price_rows] = 1
        responses = features_of(probe(planes), axis)[:, middle].astype(np.float64) - bias[middle]
        weights.append(responses.reshape(CHANNEL_COUNT, STANDARD.price_rows, -1))
    return ColumnTables.from_weights(np.array(weights), bias.astype(np.float64), offsets, stride)


def features_of(output: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The layer's output as `(N, positions, F)`."""
    return np.moveaxis(output, axis, 1).reshape(len(output), output.shape[axis], -1)


def reproduces(tables: ColumnTables, probe: Probe, axis: int, frames: Frames) -> bool:
    """Whether the tables give the layer's output on real frames and on random rows."""
    tolerance = _TOLERANCE * float(max(np.abs(tables.tables).max(), np.abs(tables.bias).max()))
    rows = random_rows(PROBED_AT_ONCE)
    pairs = [
        (tables.multiply(frames), probe(as_planes(frames))),
        (tables.look_up(rows), probe(planes_of_rows(rows))),
    ]
    return all(np.abs(found - features_of(output, axis)).max() <= tolerance for found, output in pairs)


def random_rows(count: int) -> Rows:
    """Runs of all positions and lengths, and every volume `(count, 200, 5)`."""
    random = np.random.default_rng(1)
    shape = (count, STANDARD.window_candles, 2)
    body, wick = (np.sort(random.integers(0, STANDARD.price_rows, shape), axis=2) for _ in range(2))
    volume = random.integers(0, STANDARD.price_rows + 1, shape)[..., :1]
    return np.concatenate([body, wick, volume], axis=2).astype(np.uint8)
