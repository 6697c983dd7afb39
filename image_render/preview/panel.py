"""Panels below a chart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from image_render.preview.style import BORDER, CHART_BACKGROUND, HEADING_SIZE, LABEL_GAP, LABEL_SIZE, LINE, MUTED_TEXT, PADDING, TEXT, font

Points = NDArray[np.uint8]

_GAP, _BORDER = 14, 4


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture below a chart, aligned with its candles.

    `points` are uint8 RGB `(height, window_candles * scale, 3)`. Each of `labels`, on the right, has the distance of its middle from the
    top. `colours` `(n, 3)` is the colour scale from the lowest value to the highest, between the labels `ends`.
    """

    heading: str
    points: Points
    labels: tuple[tuple[int, str], ...]
    colours: Points
    ends: tuple[str, str]

    @property
    def page_height(self) -> int:
        """The height on the page, with the heading and the space above it."""
        return _GAP + LINE + len(self.points) + 2 * _BORDER

    def draw(self, page: Image.Image, left: int, top: int, width: int) -> None:
        """Draw heading and colour scale over a box with a border, from its upper left corner on the page."""
        canvas, label_font = ImageDraw.Draw(page), font(LABEL_SIZE)
        top += _GAP
        canvas.text((left, top), self.heading, TEXT, font(HEADING_SIZE), anchor="lt")
        lowest, highest = self.ends
        at = left + width - round(label_font.getlength(highest))
        canvas.text((at, top), highest, MUTED_TEXT, label_font, anchor="lt")
        at -= LABEL_GAP + len(self.colours)
        page.paste(Image.fromarray(np.repeat(self.colours[None], 8, axis=0)), (at, top))
        canvas.rectangle((at - 1, top - 1, at + len(self.colours), top + 8), outline=BORDER)
        canvas.text((at - LABEL_GAP, top), lowest, MUTED_TEXT, label_font, anchor="rt")

        top += LINE
        height = len(self.points) + 2 * _BORDER
        canvas.rectangle((left, top, left + width - 1, top + height - 1), CHART_BACKGROUND, BORDER)
        page.paste(Image.fromarray(self.points), (left + PADDING, top + _BORDER))
        for y, label in self.labels:
            canvas.text((left + width + LABEL_GAP, top + _BORDER + y), label, MUTED_TEXT, label_font, anchor="lm")
