"""A prediction on a chart: what the frame leaves room for at its right, above and below."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from image_render.spec import BODY, VOLUME, WICK, FrameSpec

_MAX_ROOM = 1.0
"""Above and below, as a share of the window's own price range: an absurd prediction is cut off, not the candles made invisible."""


@dataclass(frozen=True)
class Forecast:
    """Predicted prices of the `candles` after a window: the highest, the lowest and the last one, from the window's last close."""

    candles: int
    close: float
    highest: float
    lowest: float
    end: float


@dataclass(frozen=True)
class ExtendedFrame:
    """A chart with room for a forecast: as `preview` takes it, for a frame that is larger by the forecast."""

    frame: NDArray[np.uint8]
    spec: FrameSpec
    open_times_ms: tuple[int, int]
    price_range: tuple[float, float]


def extend_frame(
    frame: NDArray[np.uint8], spec: FrameSpec, open_times_ms: tuple[int, int], price_range: tuple[float, float], forecast: Forecast
) -> ExtendedFrame:
    """Add empty candles at the right of `frame` `(window_candles, price_rows, 3)`, and empty rows where the forecast leaves its range."""
    lowest, highest = price_range
    if highest <= lowest:  # a flat window: its one price is in the middle row
        reach = max(abs(forecast.highest - lowest), abs(forecast.lowest - lowest), 1e-9 * abs(lowest) + 1e-12)
        row = 2 * reach / spec.price_rows
        lowest, highest = lowest - spec.flat_row * row, lowest + (spec.price_rows - 1 - spec.flat_row) * row
    row = (highest - lowest) / (spec.price_rows - 1)
    most = int(_MAX_ROOM * spec.price_rows)
    above = min(most, max(0, math.ceil((forecast.highest - highest) / row)))
    below = min(most, max(0, math.ceil((lowest - forecast.lowest) / row)))
    larger = FrameSpec(spec.window_candles + forecast.candles, spec.price_rows + above + below)
    drawn = np.zeros(larger.shape, np.uint8)
    prices = slice(below, below + spec.price_rows)
    for channel in (BODY, WICK):
        drawn[: spec.window_candles, prices, channel] = frame[..., channel]
    # Volume stands on the bottom row, and is as high as before in proportion.
    shown = np.arange(larger.price_rows) * spec.price_rows // larger.price_rows
    drawn[: spec.window_candles, :, VOLUME] = frame[:, shown, VOLUME]
    first_ms, last_ms = open_times_ms
    step_ms = (last_ms - first_ms) // max(1, spec.window_candles - 1)
    return ExtendedFrame(drawn, larger, (first_ms, last_ms + forecast.candles * step_ms), (lowest - below * row, highest + above * row))
