"""Frames as pictures for people: the pixels that the model sees, laid out as a candlestick chart.

Nothing is drawn from prices. A *pixel* is one of the frame, a *point* one of the picture: each pixel becomes a cell of `scale` by `scale`
points. Bodies leave a gap to their neighbours and wicks are lines, so that a chart appears. Volume, which the frame has behind the prices,
is drawn below them. Rising and falling candles have the same colour, because the frame does not distinguish them.
"""

from image_render.preview.page import png_bytes, preview
from image_render.preview.sheet import contact_sheet

__all__ = ["contact_sheet", "png_bytes", "preview"]
