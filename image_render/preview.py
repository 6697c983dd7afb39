"""A frame as a picture for people: the very pixels that the model sees, laid out as a candlestick chart.

Nothing is drawn from prices. Each pixel of the frame becomes a cell of `scale` by `scale` points, in which a
body leaves a gap to its neighbours and a wick is a line: a chart appears where the enlarged pixels alone
would be a blot. Volume, which the frame has behind the prices, stands below them. There is no colour for up
or down, because the frame has none.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from image_render.attribution import Panel
from image_render.forecast import Forecast, extend_frame
from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec
from image_render.ticks import price_ticks, time_ticks

Colour = tuple[int, int, int]

PAGE: Colour = (246, 244, 239)
PAPER: Colour = (255, 255, 253)
RULE: Colour = (208, 203, 193)
GRID: Colour = (240, 237, 231)
INK: Colour = (38, 42, 48)
FAINT_INK: Colour = (124, 120, 112)
BODY_COLOUR: Colour = (31, 58, 95)
WICK_COLOUR: Colour = (104, 138, 186)
VOLUME_COLOUR: Colour = (201, 182, 143)
FORECAST_COLOUR: Colour = (233, 240, 232)
FORECAST_LINE: Colour = (74, 124, 89)

_LEGEND = (("body", BODY_COLOUR), ("wick", WICK_COLOUR), ("volume", VOLUME_COLOUR))
_FORECAST_LEGEND = ("predicted range", FORECAST_LINE)

# In points, whatever the scale.
_MARGIN = 24
_PADDING = 10  # Some pixel always touches the top row, and some the bottom one: off the border with them.
_TITLE_LINE, _LINE = 28, 22
_PRICE_AXIS = 64
_LABEL_GAP = 8
_TITLE_SIZE, _HEADING_SIZE, _LABEL_SIZE = 18, 14, 12
_PANEL_GAP, _PANEL_BORDER = 14, 4


def preview(
    frame: NDArray[np.uint8],
    *,
    title: str | None = None,
    open_times_ms: tuple[int, int] | None = None,
    price_range: tuple[float, float] | None = None,
    forecast: Forecast | None = None,
    panels: Sequence[Panel] = (),
    footnotes: Sequence[str] = (),
    scale: int = 4,
    spec: FrameSpec = STANDARD,
) -> Image.Image:
    """The chart of one frame, `uint8` `(window_candles, price_rows, 3)`, under a title and with axes; `panels` and lines of text below it.

    A `forecast` is drawn at its right, and makes it larger.

    `open_times_ms` belong to the first and the last candle, in milliseconds UTC; `price_range` is the lowest
    and the highest price, which the bottom and the top row stand for. What is not given is left out. A pixel
    of the frame becomes `scale` by `scale` points.

    Raises `ValueError` where the frame is not one of this `spec`, `scale` is below 1, or a forecast lacks times and prices to stand on.
    """
    _check(frame, scale, spec)
    extent = _extent(open_times_ms, price_range)
    if forecast:
        if not open_times_ms or not price_range:
            raise ValueError("a forecast needs open_times_ms and price_range")
        extended = extend_frame(frame, spec, open_times_ms, price_range, forecast)
        frame, spec, open_times_ms, price_range = extended.frame, extended.spec, extended.open_times_ms, extended.price_range
    layout = _Layout(spec, scale)
    times: list[tuple[int, str]] = []
    prices: list[tuple[int, str]] = []
    if open_times_ms:
        times = [(layout.x(time, open_times_ms), label) for time, label in time_ticks(*open_times_ms)]
    if price_range:
        prices = [(layout.y(price, price_range), label) for price, label in price_ticks(*price_range)]
    chart = _draw_chart(frame, layout, grid_x=[x for x, _ in times], grid_y=[y for y, _ in prices])

    left, top = _MARGIN, _MARGIN + _TITLE_LINE + _LINE
    right, bottom = left + layout.width, top + layout.height
    panels_top = bottom + (_LINE if times else 0)
    panels_bottom = panels_top + sum(map(_panel_height, panels))
    page_size = right + (_PRICE_AXIS if prices or panels else _MARGIN), panels_bottom + len(footnotes) * _LINE + _MARGIN
    page = Image.new("RGB", page_size, PAGE)
    if forecast and price_range:
        _draw_forecast(chart, layout, forecast, price_range)
    page.paste(chart, (left, top))
    pen, font = ImageDraw.Draw(page), _font(_LABEL_SIZE)
    pen.text((left, _MARGIN), title or "", INK, _font(_TITLE_SIZE), anchor="lt")
    pen.text((left, top - _LINE), extent, FAINT_INK, font, anchor="lt")
    _draw_legend(pen, right, top - _LINE, (*_LEGEND, _FORECAST_LEGEND) if forecast else _LEGEND)
    for y, label in prices:
        pen.text((right + _LABEL_GAP, top + y), label, FAINT_INK, font, anchor="lm")
    for x, label in times:
        pen.text((left + x, bottom + _LABEL_GAP), label, FAINT_INK, font, anchor="mt")
    for panel in panels:
        _draw_panel(page, panel, left, panels_top, layout.width)
        panels_top += _panel_height(panel)
    for line, text in enumerate(footnotes):
        pen.text((left, panels_bottom + _LABEL_GAP + line * _LINE), text, FAINT_INK, font, anchor="lt")
    return page


def contact_sheet(
    frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str],
    *,
    columns: int = 3,
    scale: int = 2,
    spec: FrameSpec = STANDARD,
) -> Image.Image:
    """Several frames on one page, row by row from the upper left, each over its caption.

    Raises `ValueError` where there is no frame, a frame is not one of this `spec`, frames and captions are
    not equally many, or `columns` or `scale` is below 1.
    """
    if len(frames) == 0:
        raise ValueError("a contact sheet needs at least one frame")
    if len(frames) != len(captions):
        raise ValueError(f"each frame needs its caption: {len(frames)} frames, {len(captions)} captions")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}")
    for frame in frames:
        _check(frame, scale, spec)
    layout = _Layout(spec, scale)
    columns = min(columns, len(frames))
    lines = -(-len(frames) // columns)
    across, down = layout.width + _MARGIN, layout.height + _LINE + _MARGIN
    page = Image.new("RGB", (_MARGIN + columns * across, _MARGIN + lines * down), PAGE)
    pen, font = ImageDraw.Draw(page), _font(_LABEL_SIZE)
    for position, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        line, column = divmod(position, columns)
        left, top = _MARGIN + column * across, _MARGIN + line * down
        page.paste(_draw_chart(frame, layout), (left, top))
        pen.text((left, top + layout.height + _LABEL_GAP), caption, FAINT_INK, font, anchor="lt")
    return page


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@dataclass(frozen=True)
class _Layout:
    """Where things stand on a chart, in points from its upper left corner."""

    spec: FrameSpec
    scale: int

    @property
    def width(self) -> int:
        return _PADDING + self.spec.window_candles * self.scale + _PADDING

    @property
    def rule_y(self) -> int:
        """The line between prices and volume."""
        return _PADDING + self.spec.price_rows * self.scale + _PADDING

    @property
    def volume_height(self) -> int:
        """A quarter of that of the prices, standing on the border."""
        return max(1, self.spec.price_rows * self.scale // 4)

    @property
    def height(self) -> int:
        return self.rule_y + 1 + _PADDING + self.volume_height + 1

    def x(self, open_time_ms: int, open_times_ms: tuple[int, int]) -> int:
        """The middle of the candle of a time, given the times of the first and the last candle."""
        first_ms, last_ms = open_times_ms
        candle = (open_time_ms - first_ms) * (self.spec.window_candles - 1) / max(1, last_ms - first_ms)
        return _PADDING + round(candle * self.scale) + _bar_width(self.scale) // 2

    def y(self, price: float, price_range: tuple[float, float]) -> int:
        """The middle of the row of a price, given the lowest and the highest."""
        lowest, highest = price_range
        top_row = self.spec.price_rows - 1
        row = (price - lowest) * top_row / (highest - lowest) if highest > lowest else self.spec.flat_row
        return _PADDING + round((top_row - row) * self.scale) + self.scale // 2


def _check(frame: NDArray[np.uint8], scale: int, spec: FrameSpec) -> None:
    if frame.shape != spec.shape or frame.dtype != np.uint8:
        raise ValueError(f"a frame is uint8 {spec.shape}, not {frame.dtype} {frame.shape}")
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")


def _draw_chart(frame: NDArray[np.uint8], layout: _Layout, grid_x: Iterable[int] = (), grid_y: Iterable[int] = ()) -> Image.Image:
    """Prices over volume, within their border and upon the lines of a grid."""
    candles, rows, _ = frame.shape
    picture = frame.transpose(1, 0, 2)[::-1] > 0  # rows from the top down, candles across
    bar, line = _strokes(layout.scale)
    points = np.full((layout.height, layout.width, 3), PAPER, np.uint8)
    for x in grid_x:
        points[:, x] = GRID
    for y in grid_y:
        points[y] = GRID

    across = slice(_PADDING, _PADDING + candles * layout.scale)
    prices = points[_PADDING : _PADDING + rows * layout.scale, across]
    prices[_enlarge(picture[..., WICK], line)] = WICK_COLOUR
    prices[_enlarge(picture[..., BODY], bar)] = BODY_COLOUR

    volume = points[-1 - layout.volume_height : -1, across]
    # Counted from below, so that the bottom row is seen at every scale: a volume of one row does not vanish.
    shown_rows = rows - 1 - np.arange(layout.volume_height)[::-1] * rows // layout.volume_height
    bars = picture[shown_rows, :, VOLUME].repeat(layout.scale, axis=1)
    volume[bars & np.tile(bar, candles)] = VOLUME_COLOUR

    points[layout.rule_y] = RULE
    points[[0, -1]] = RULE
    points[:, [0, -1]] = RULE
    return Image.fromarray(points)


def _enlarge(picture: NDArray[np.bool_], stroke: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`(rows, candles)` as `(rows * scale, candles * scale)`, each candle with the stroke, `(scale,)`."""
    scale = len(stroke)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1) & np.tile(stroke, picture.shape[1])


def _strokes(scale: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which points of a cell's width, `(scale,)`, a body fills, and which a wick."""
    bar_width = _bar_width(scale)
    line_width = bar_width // 3 | 1
    point = np.arange(scale)
    line_start = (bar_width - line_width) // 2
    return point < bar_width, (line_start <= point) & (point < line_start + line_width)


def _bar_width(scale: int) -> int:
    """An odd width, so that the wick stands in the middle; a gap is left where there is room for one."""
    return scale - 1 - scale % 2 if scale > 3 else scale


def _extent(open_times_ms: tuple[int, int] | None, price_range: tuple[float, float] | None) -> str:
    """From when to when, and from which price to which, in words."""
    parts = []
    if open_times_ms:
        first, last = (datetime.fromtimestamp(time / 1000, UTC) for time in open_times_ms)
        end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
        parts.append(f"{first:%Y-%m-%d %H:%M} to {end} UTC")
    if price_range:
        lowest, highest = price_range
        parts.append(f"low {lowest:,.10g}, high {highest:,.10g}")
    return "  ·  ".join(parts)


def _draw_forecast(chart: Image.Image, layout: _Layout, forecast: Forecast, price_range: tuple[float, float]) -> None:
    """A band from the lowest to the highest predicted price over the forecast's candles, and a line from the close to the predicted end."""
    pen = ImageDraw.Draw(chart)
    top, bottom, end = (layout.y(price, price_range) for price in (forecast.highest, forecast.lowest, forecast.end))
    top, bottom, end = (min(max(y, 1), layout.rule_y - 1) for y in (top, bottom, end))
    left = _PADDING + (layout.spec.window_candles - forecast.candles) * layout.scale
    right = layout.width - _PADDING - 1
    pen.rectangle((left, top, right, bottom), FORECAST_COLOUR)
    for y in (top, bottom):
        pen.line((left, y, right, y), FORECAST_LINE)
    pen.line((left, layout.y(forecast.close, price_range), right, end), FORECAST_LINE, width=2)


def _draw_legend(pen: ImageDraw.ImageDraw, right: int, top: int, legend: Sequence[tuple[str, Colour]]) -> None:
    font = _font(_LABEL_SIZE)
    for name, colour in reversed(legend):
        right -= round(font.getlength(name))
        pen.text((right, top), name, FAINT_INK, font, anchor="lt")
        right -= 14
        pen.rectangle((right, top, right + 8, top + 8), colour)
        right -= 14


def _panel_height(panel: Panel) -> int:
    """With its heading, and the room above that."""
    return _PANEL_GAP + _LINE + len(panel.points) + 2 * _PANEL_BORDER


def _draw_panel(page: Image.Image, panel: Panel, left: int, top: int, width: int) -> None:
    """Heading and legend over a bordered box of the chart's width, from its upper left corner on the page."""
    pen, font = ImageDraw.Draw(page), _font(_LABEL_SIZE)
    top += _PANEL_GAP
    pen.text((left, top), panel.heading, INK, _font(_HEADING_SIZE), anchor="lt")
    lowest, highest = panel.ends
    at = left + width - round(font.getlength(highest))
    pen.text((at, top), highest, FAINT_INK, font, anchor="lt")
    at -= _LABEL_GAP + len(panel.colours)
    page.paste(Image.fromarray(np.repeat(panel.colours[None], 8, axis=0)), (at, top))
    pen.rectangle((at - 1, top - 1, at + len(panel.colours), top + 8), outline=RULE)
    pen.text((at - _LABEL_GAP, top), lowest, FAINT_INK, font, anchor="rt")

    top += _LINE
    height = len(panel.points) + 2 * _PANEL_BORDER
    pen.rectangle((left, top, left + width - 1, top + height - 1), PAPER, RULE)
    page.paste(Image.fromarray(panel.points), (left + _PADDING, top + _PANEL_BORDER))
    for y, label in panel.labels:
        pen.text((left + width + _LABEL_GAP, top + _PANEL_BORDER + y), label, FAINT_INK, font, anchor="lm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
