"""A predicted price range, and a frame extended to show it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from image_render.spec import BODY, VOLUME, WICK, FrameSpec

_MAX_EXTENSION = 1.0
"""Above and below, as a share of the window's price range, so that an absurd prediction does not make the candles invisible."""


@dataclass(frozen=True)
class PredictedRange:
    """The predicted highest, lowest and last price of the `candles` after a window whose last price is `close`."""

    candles: int
    close: float
    highest: float
    lowest: float
    end: float


@dataclass(frozen=True)
class ExtendedFrame:
    """A frame with room for a prediction, with its spec, times and prices as for `preview`."""

    frame: NDArray[np.uint8]
    spec: FrameSpec
    open_times_ms: tuple[int, int]
    price_range: tuple[float, float]


def extend_frame(
    frame: NDArray[np.uint8], spec: FrameSpec, open_times_ms: tuple[int, int], price_range: tuple[float, float], prediction: PredictedRange
) -> ExtendedFrame:
    """Add empty candles to the right of `frame` `(window_candles, price_rows, 3)`, and empty rows for a prediction outside its range."""
    lowest, highest = price_range
    if highest <= lowest:  # a flat window, whose price is in the middle row
        reach = max(abs(prediction.highest - lowest), abs(prediction.lowest - lowest), 1e-9 * abs(lowest) + 1e-12)
        row = 2 * reach / spec.price_rows
        lowest, highest = lowest - spec.flat_row * row, lowest + (spec.price_rows - 1 - spec.flat_row) * row
    row = (highest - lowest) / (spec.price_rows - 1)
    max_rows = int(_MAX_EXTENSION * spec.price_rows)
    above = min(max_rows, max(0, math.ceil((prediction.highest - highest) / row)))
    below = min(max_rows, max(0, math.ceil((lowest - prediction.lowest) / row)))
    larger = FrameSpec(spec.window_candles + prediction.candles, spec.price_rows + above + below)
    drawn = np.zeros(larger.shape, np.uint8)
    prices = slice(below, below + spec.price_rows)
    for channel in (BODY, WICK):
        drawn[: spec.window_candles, prices, channel] = frame[..., channel]
    # Volume begins at the bottom row and keeps its relative height.
    shown = np.arange(larger.price_rows) * spec.price_rows // larger.price_rows
    drawn[: spec.window_candles, :, VOLUME] = frame[:, shown, VOLUME]
    first_ms, last_ms = open_times_ms
    step_ms = (last_ms - first_ms) // max(1, spec.window_candles - 1)
    return ExtendedFrame(drawn, larger, (first_ms, last_ms + prediction.candles * step_ms), (lowest - below * row, highest + above * row))
