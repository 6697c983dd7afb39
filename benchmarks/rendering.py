"""The time to render a frame on one core: with Pillow, with NumPy comparisons, and with image_render."""

import numpy as np

from benchmarks.plain_keras import render_with_pillow
from benchmarks.timing import best_s
from image_render.render import Frames, empty_frames, render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns

_FRAMES = 100


def rendering_us(view: Columns) -> dict[str, float]:
    """Microseconds per frame, by renderer; `view` holds at least 100 windows `(N, 200)`."""
    batch = Columns(*(column[:_FRAMES] for column in view))
    out = empty_frames(_FRAMES)
    memory = np.empty_like(out)

    def pillow() -> None:
        for at in range(_FRAMES):
            render_with_pillow(Columns(*(column[at] for column in batch)))

    renderers = {
        "Pillow": pillow,
        "NumPy comparisons": lambda: _render_by_comparison(batch),
        "image_render": lambda: render_frames(batch, out=out),
        "(a memset of the same bytes)": lambda: memory.fill(0),
    }
    return {name: seconds / _FRAMES * 1e6 for name, seconds in best_s(renderers, budget_s=0.6).items()}


def _render_by_comparison(windows: Columns) -> Frames:
    """The straightforward implementation: compare every pixel of every frame with the rows of its candle."""
    rows = STANDARD.price_rows
    lowest = windows.low.min(axis=1, keepdims=True)
    scale = (rows - 1) / (windows.high.max(axis=1, keepdims=True) - lowest)

    def row(price: np.ndarray) -> np.ndarray:
        return np.rint((price - lowest) * scale).astype(np.int16)[:, :, None]

    pixel = np.arange(rows, dtype=np.int16)
    opened, closed = row(windows.open), row(windows.close)
    volume = np.rint(windows.volume * rows / windows.volume.max(axis=1, keepdims=True)).astype(np.int16)[:, :, None]
    body = (pixel >= np.minimum(opened, closed)) & (pixel <= np.maximum(opened, closed))
    wick = (pixel >= row(windows.low)) & (pixel <= row(windows.high))
    return np.stack([body, wick, pixel < volume], axis=-1).view(np.uint8)
