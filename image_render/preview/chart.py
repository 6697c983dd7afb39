"""The chart of one frame, without its labels."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from image_render.preview.layout import Layout
from image_render.preview.predicted_range import PredictedRange
from image_render.preview.style import (
    BODY_COLOUR,
    BORDER,
    CHART_BACKGROUND,
    GRID,
    PADDING,
    PREDICTION_COLOUR,
    PREDICTION_LINE,
    VOLUME_COLOUR,
    WICK_COLOUR,
)
from image_render.spec import BODY, VOLUME, WICK, FrameSpec


def check_frame(frame: NDArray[np.uint8], scale: int, spec: FrameSpec) -> None:
    """Raise `ValueError` for an array that is not a frame of `spec`, or a scale below 1."""
    if frame.shape != spec.shape or frame.dtype != np.uint8:
        raise ValueError(f"a frame is uint8 {spec.shape}, not {frame.dtype} {frame.shape}")
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")


def draw_chart(frame: NDArray[np.uint8], layout: Layout, grid_x: Iterable[int] = (), grid_y: Iterable[int] = ()) -> Image.Image:
    """Prices over volume, with a border, on grid lines at the given points."""
    candles, rows, _ = frame.shape
    picture = frame.transpose(1, 0, 2)[::-1] > 0  # (rows, candles, channels), rows from top to bottom
    body, wick = _strokes(layout)
    points = np.full((layout.height, layout.width, 3), CHART_BACKGROUND, np.uint8)
    for x in grid_x:
        points[:, x] = GRID
    for y in grid_y:
        points[y] = GRID

    across = slice(PADDING, PADDING + candles * layout.scale)
    prices = points[PADDING : PADDING + rows * layout.scale, across]
    prices[_enlarge(picture[..., WICK], wick)] = WICK_COLOUR
    prices[_enlarge(picture[..., BODY], body)] = BODY_COLOUR

    volume = points[-1 - layout.volume_height : -1, across]
    # Counted from the bottom, so that the bottom row, and with it the smallest volume, is visible at every scale.
    shown_rows = rows - 1 - np.arange(layout.volume_height)[::-1] * rows // layout.volume_height
    bars = picture[shown_rows, :, VOLUME].repeat(layout.scale, axis=1)
    volume[bars & np.tile(body, candles)] = VOLUME_COLOUR

    points[layout.separator_y] = BORDER
    points[[0, -1]] = BORDER
    points[:, [0, -1]] = BORDER
    return Image.fromarray(points)


def draw_prediction(chart: Image.Image, layout: Layout, prediction: PredictedRange, price_range: tuple[float, float]) -> None:
    """Add a band between the predicted prices over the prediction's candles, and a line from the close to the predicted end."""
    canvas = ImageDraw.Draw(chart)
    top, bottom, end = (layout.y(price, price_range) for price in (prediction.highest, prediction.lowest, prediction.end))
    top, bottom, end = (min(max(y, 1), layout.separator_y - 1) for y in (top, bottom, end))
    left = PADDING + (layout.spec.window_candles - prediction.candles) * layout.scale
    right = layout.width - PADDING - 1
    canvas.rectangle((left, top, right, bottom), PREDICTION_COLOUR)
    for y in (top, bottom):
        canvas.line((left, y, right, y), PREDICTION_LINE)
    canvas.line((left, layout.y(prediction.close, price_range), right, end), PREDICTION_LINE, width=2)


def _enlarge(picture: NDArray[np.bool_], stroke: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`(rows, candles)` as `(rows * scale, candles * scale)`, with the stroke `(scale,)` across each candle."""
    scale = len(stroke)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1) & np.tile(stroke, picture.shape[1])


def _strokes(layout: Layout) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The points across a candle, `(scale,)`, that a body and a wick fill."""
    line_width = layout.bar_width // 3 | 1
    point = np.arange(layout.scale)
    line_start = (layout.bar_width - line_width) // 2
    return point < layout.bar_width, (line_start <= point) & (point < line_start + line_width)
