"""The baseline of every ratio, *plain Keras*: frames drawn with Pillow, one line after the other, and `model.predict(batch_size=100)`."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from image_render.draw import Frames
from image_render.spec import STANDARD
from image_render.windows import Columns

BATCH = 100


def draw_with_pillow(window: Columns) -> Frames:
    """One window, each column `(200,)`, as a frame `(200, 150, 3)`."""
    candles, rows, channels = STANDARD.shape
    lowest, highest = window.low.min(), window.high.max()
    scale = (rows - 1) / (highest - lowest)
    highest_volume = window.volume.max() or 1
    frame = np.empty(STANDARD.shape, np.uint8)
    planes = [Image.new("L", (rows, candles)) for _ in range(channels)]
    body, wick, volume = (ImageDraw.Draw(plane) for plane in planes)
    for candle in range(candles):
        opened, closed, low, high = (
            round((column[candle] - lowest) * scale) for column in (window.open, window.close, window.low, window.high)
        )
        body.line((min(opened, closed), candle, max(opened, closed), candle), fill=1)
        wick.line((low, candle, high, candle), fill=1)
        top = round(window.volume[candle] * rows / highest_volume) - 1
        if top >= 0:
            volume.line((0, candle, top, candle), fill=1)
    for channel, plane in enumerate(planes):
        frame[:, :, channel] = np.asarray(plane)
    return frame


def predict_plainly(model: Any, view: Columns) -> Any:
    """Draw the windows `(N, 200)` and predict them."""
    frames = np.stack([draw_with_pillow(Columns(*(column[at] for column in view))) for at in range(len(view.close))])
    return model.predict(frames.astype(np.float32), batch_size=BATCH, verbose=0)
