"""Panels below a chart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from image_render.preview.style import FAINT_INK, HEADING_SIZE, INK, LABEL_GAP, LABEL_SIZE, LINE, PADDING, PAPER, RULE, font

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
        pen, label_font = ImageDraw.Draw(page), font(LABEL_SIZE)
        top += _GAP
        pen.text((left, top), self.heading, INK, font(HEADING_SIZE), anchor="lt")
        lowest, highest = self.ends
        at = left + width - round(label_font.getlength(highest))
        pen.text((at, top), highest, FAINT_INK, label_font, anchor="lt")
        at -= LABEL_GAP + len(self.colours)
        page.paste(Image.fromarray(np.repeat(self.colours[None], 8, axis=0)), (at, top))
        pen.rectangle((at - 1, top - 1, at + len(self.colours), top + 8), outline=RULE)
        pen.text((at - LABEL_GAP, top), lowest, FAINT_INK, label_font, anchor="rt")

        top += LINE
        height = len(self.points) + 2 * _BORDER
        pen.rectangle((left, top, left + width - 1, top + height - 1), PAPER, RULE)
        page.paste(Image.fromarray(self.points), (left + PADDING, top + _BORDER))
        for y, label in self.labels:
            pen.text((left + width + LABEL_GAP, top + _BORDER + y), label, FAINT_INK, label_font, anchor="lm")
