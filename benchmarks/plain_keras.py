"""The baseline of every ratio, *plain Keras*: frames rendered with Pillow line by line, and `model.predict(batch_size=100)`."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from image_render.render import Frames
from image_render.spec import STANDARD
from image_render.windows import Columns

BATCH = 100


def render_with_pillow(window: Columns) -> Frames:
    """One window, each column `(200,)`, as a frame `(200, 150, 3)`."""
    candles, rows, channels = STANDARD.shape
    lowest = window.low.min()
    scale = (rows - 1) / (window.high.max() - lowest)
    opened, closed, low, high = (
        np.rint((column - lowest) * scale).astype(int).tolist() for column in (window.open, window.close, window.low, window.high)
    )
    tops = np.rint(window.volume * rows / (window.volume.max() or 1)).astype(int).tolist()
    frame = np.empty(STANDARD.shape, np.uint8)
    planes = [Image.new("L", (rows, candles)) for _ in range(channels)]
    body, wick, volume = (ImageDraw.Draw(plane) for plane in planes)
    for candle in range(candles):
        body.line((opened[candle], candle, closed[candle], candle), fill=1)
        wick.line((low[candle], candle, high[candle], candle), fill=1)
        if tops[candle]:
            volume.line((0, candle, tops[candle] - 1, candle), fill=1)
    for channel, plane in enumerate(planes):
        frame[:, :, channel] = np.asarray(plane)
    return frame


def predict_with_plain_keras(model: Any, view: Columns) -> Any:
    """Render the windows `(N, 200)` and predict them."""
    frames = np.stack([render_with_pillow(Columns(*(column[at] for column in view))) for at in range(len(view.close))])
    return model.predict(frames.astype(np.float32), batch_size=BATCH, verbose=0)
