"""A digest of the rendering: a model is only served with frames rendered like those that it was trained on."""

import hashlib
import json
from dataclasses import asdict
from functools import cache

import numpy as np
from numpy.typing import NDArray

from image_render.render import render_frames
from image_render.spec import STANDARD, VERSION, FrameSpec
from image_render.windows import Columns, windows

_GOLDEN_WINDOWS = 3
_TICK = 0.01


@cache
def frame_digest(spec: FrameSpec = STANDARD) -> str:
    """The sha256, in hex, of the version, the geometry and a fixed set of golden frames.

    The frames are rendered on each machine, not stored, so that a numpy that rounds differently changes the digest.
    """
    geometry = {"version": VERSION, **asdict(spec), "channels": ["body", "wick", "volume"]}
    digest = hashlib.sha256(json.dumps(geometry, sort_keys=True).encode())
    for series in _golden_series(spec):
        frames = render_frames(windows(series, spec), spec)
        digest.update(np.packbits(frames).tobytes())
    return digest.hexdigest()


def _golden_series(spec: FrameSpec) -> list[Columns]:
    """A random walk, the same walk without volume, and a flat line, computed from integers for the same result on every platform."""
    count = spec.window_candles + _GOLDEN_WINDOWS - 1
    state, ticks = 1, []
    for _ in range(5 * count):
        state = (state * 1_103_515_245 + 12_345) % 2**31  # the C standard's example pseudo-random number generator
        ticks.append(state >> 16)
    numbers: NDArray[np.float64] = (np.array(ticks).reshape(count, 5).T % 41).astype(np.float64)
    step, above, below, body, volume = numbers
    open_ = 10_000 + np.cumsum(step - 20)
    close = open_ + body - 20
    walk = Columns(
        open=open_ * _TICK,
        high=(np.maximum(open_, close) + above) * _TICK,
        low=(np.minimum(open_, close) - below) * _TICK,
        close=close * _TICK,
        volume=volume,
    )
    without_volume = walk._replace(volume=np.zeros(count))
    flat = Columns(*(np.full(count, 100.0) for _ in Columns._fields))
    return [walk, without_volume, flat]
