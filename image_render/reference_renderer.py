"""A slow, simple renderer that follows the definition of a frame pixel by pixel. The tests compare `render` with it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec


def render_frame(
    opens: Sequence[float],
    highs: Sequence[float],
    lows: Sequence[float],
    closes: Sequence[float],
    volumes: Sequence[float],
    spec: FrameSpec = STANDARD,
) -> NDArray[np.uint8]:
    """Render one window, each column `(window_candles,)`, as one frame `(window_candles, price_rows, 3)`."""
    lowest, highest, highest_volume = min(lows), max(highs), max(volumes)

    def row(price: float) -> int:
        if highest == lowest:
            return spec.flat_row
        return round((price - lowest) * (spec.price_rows - 1) / (highest - lowest))  # half to even, like rint

    frame = np.zeros(spec.shape, np.uint8)
    for candle in range(spec.window_candles):
        opened, closed = row(opens[candle]), row(closes[candle])
        for pixel in range(min(opened, closed), max(opened, closed) + 1):
            frame[candle, pixel, BODY] = 1
        for pixel in range(row(lows[candle]), row(highs[candle]) + 1):
            frame[candle, pixel, WICK] = 1
        if highest_volume > 0:
            for pixel in range(round(volumes[candle] * spec.price_rows / highest_volume)):
                frame[candle, pixel, VOLUME] = 1
    return frame
