"""Colours, sizes in points, and the font of a preview."""

from PIL import ImageFont

Colour = tuple[int, int, int]

PAGE: Colour = (246, 244, 239)
CHART_BACKGROUND: Colour = (255, 255, 253)
BORDER: Colour = (208, 203, 193)
GRID: Colour = (240, 237, 231)
TEXT: Colour = (38, 42, 48)
MUTED_TEXT: Colour = (124, 120, 112)
BODY_COLOUR: Colour = (31, 58, 95)
WICK_COLOUR: Colour = (104, 138, 186)
VOLUME_COLOUR: Colour = (201, 182, 143)
PREDICTION_COLOUR: Colour = (233, 240, 232)
PREDICTION_LINE: Colour = (74, 124, 89)

MARGIN = 24
PADDING = 10
"""Between the border and the chart, because some pixel always touches the top row, and some the bottom row."""
TITLE_LINE, LINE = 28, 22
LABEL_GAP = 8
TITLE_SIZE, HEADING_SIZE, LABEL_SIZE = 18, 14, 12


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
