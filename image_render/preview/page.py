"""One frame on a page: chart, axes, legend, panels and footnotes."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from image_render.preview.chart import check_frame, draw_chart, draw_prediction
from image_render.preview.layout import Layout
from image_render.preview.panel import Panel
from image_render.preview.predicted_range import PredictedRange, extend_frame
from image_render.preview.style import (
    BODY_COLOUR,
    LABEL_GAP,
    LABEL_SIZE,
    LINE,
    MARGIN,
    MUTED_TEXT,
    PAGE,
    PREDICTION_LINE,
    TEXT,
    TITLE_LINE,
    TITLE_SIZE,
    VOLUME_COLOUR,
    WICK_COLOUR,
    Colour,
    font,
)
from image_render.preview.ticks import price_ticks, time_ticks
from image_render.spec import STANDARD, FrameSpec

_LEGEND = (("body", BODY_COLOUR), ("wick", WICK_COLOUR), ("volume", VOLUME_COLOUR))
_PREDICTION_LEGEND = ("predicted range", PREDICTION_LINE)
_PRICE_AXIS = 64
_LEGEND_SQUARE, _LEGEND_GAP = 8, 14


def preview(
    frame: NDArray[np.uint8],
    *,
    title: str | None = None,
    open_times_ms: tuple[int, int] | None = None,
    price_range: tuple[float, float] | None = None,
    prediction: PredictedRange | None = None,
    panels: Sequence[Panel] = (),
    footnotes: Sequence[str] = (),
    scale: int = 4,
    spec: FrameSpec = STANDARD,
) -> Image.Image:
    """The chart of one frame, `uint8` `(window_candles, price_rows, 3)`, with title and axes; `panels` and `footnotes` are below it.

    `open_times_ms` are the open times of the first and the last candle, in milliseconds UTC; `price_range` is the price of the bottom row
    and of the top row. What is missing is left out. A `prediction` extends the chart to the right. A pixel of the frame becomes `scale` by
    `scale` points.

    Raises `ValueError` for an array that is not a frame of `spec`, a `scale` below 1, or a prediction without times and prices.
    """
    check_frame(frame, scale, spec)
    extent = _extent_text(open_times_ms, price_range)
    if prediction:
        if not open_times_ms or not price_range:
            raise ValueError("a prediction needs open_times_ms and price_range")
        extended = extend_frame(frame, spec, open_times_ms, price_range, prediction)
        frame, spec, open_times_ms, price_range = extended.frame, extended.spec, extended.open_times_ms, extended.price_range
    layout = Layout(spec, scale)
    times: list[tuple[int, str]] = []
    prices: list[tuple[int, str]] = []
    if open_times_ms:
        times = [(layout.x(time, open_times_ms), label) for time, label in time_ticks(*open_times_ms)]
    if price_range:
        prices = [(layout.y(price, price_range), label) for price, label in price_ticks(*price_range)]
    chart = draw_chart(frame, layout, grid_x=[x for x, _ in times], grid_y=[y for y, _ in prices])
    if prediction and price_range:
        draw_prediction(chart, layout, prediction, price_range)

    left, top = MARGIN, MARGIN + TITLE_LINE + LINE
    right, bottom = left + layout.width, top + layout.height
    panels_top = bottom + (LINE if times else 0)
    panels_bottom = panels_top + sum(panel.page_height for panel in panels)
    page_size = right + (_PRICE_AXIS if prices or panels else MARGIN), panels_bottom + len(footnotes) * LINE + MARGIN
    page = Image.new("RGB", page_size, PAGE)
    page.paste(chart, (left, top))
    canvas, label_font = ImageDraw.Draw(page), font(LABEL_SIZE)
    canvas.text((left, MARGIN), title or "", TEXT, font(TITLE_SIZE), anchor="lt")
    canvas.text((left, top - LINE), extent, MUTED_TEXT, label_font, anchor="lt")
    _draw_legend(canvas, right, top - LINE, (*_LEGEND, _PREDICTION_LEGEND) if prediction else _LEGEND)
    for y, label in prices:
        canvas.text((right + LABEL_GAP, top + y), label, MUTED_TEXT, label_font, anchor="lm")
    for x, label in times:
        canvas.text((left + x, bottom + LABEL_GAP), label, MUTED_TEXT, label_font, anchor="mt")
    for panel in panels:
        panel.draw(page, left, panels_top, layout.width)
        panels_top += panel.page_height
    for line, text in enumerate(footnotes):
        canvas.text((left, panels_bottom + LABEL_GAP + line * LINE), text, MUTED_TEXT, label_font, anchor="lt")
    return page


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _extent_text(open_times_ms: tuple[int, int] | None, price_range: tuple[float, float] | None) -> str:
    """The range of times and of prices."""
    parts = []
    if open_times_ms:
        first, last = (datetime.fromtimestamp(time / 1000, UTC) for time in open_times_ms)
        end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
        parts.append(f"{first:%Y-%m-%d %H:%M} to {end} UTC")
    if price_range:
        lowest, highest = price_range
        parts.append(f"low {lowest:,.10g}, high {highest:,.10g}")
    return "  ·  ".join(parts)


def _draw_legend(canvas: ImageDraw.ImageDraw, right: int, top: int, legend: Sequence[tuple[str, Colour]]) -> None:
    label_font = font(LABEL_SIZE)
    for name, colour in reversed(legend):
        right -= round(label_font.getlength(name))
        canvas.text((right, top), name, MUTED_TEXT, label_font, anchor="lt")
        right -= _LEGEND_GAP
        canvas.rectangle((right, top, right + _LEGEND_SQUARE, top + _LEGEND_SQUARE), colour)
        right -= _LEGEND_GAP
