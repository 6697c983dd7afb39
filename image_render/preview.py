"""A frame as a picture for people: the very pixels that the model sees, laid out as a candlestick chart.

Nothing is drawn from prices. Each pixel of the frame becomes a cell of `scale` by `scale` points, in which a body leaves a gap to its
neighbours and a wick is a line: a chart appears where the enlarged pixels alone would be a blot. Volume, which the frame has behind
the prices, stands below them. There is no colour for up or down, because the frame has none.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec
from image_render.ticks import price_ticks, time_ticks

Colour = tuple[int, int, int]

PAGE: Colour = (246, 244, 239)
PAPER: Colour = (255, 255, 253)
RULE: Colour = (205, 200, 190)
GRID: Colour = (238, 235, 228)
INK: Colour = (38, 42, 48)
FAINT_INK: Colour = (128, 124, 116)
BODY_COLOUR: Colour = (31, 58, 95)
WICK_COLOUR: Colour = (122, 146, 176)
VOLUME_COLOUR: Colour = (201, 182, 143)

# Points of the page, whatever the scale.
_MARGIN = 24
_PADDING = 10  # between a panel's border and the outermost pixels, which always touch the frame's edges
_HEADER = 34
_PRICE_AXIS = 76
_TIME_AXIS = 22
_GUTTER = 20
_VOLUME_SHARE = 4  # the volume panel has one part in so many of the price panel's height
