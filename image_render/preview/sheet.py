"""Several frames on one page."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from image_render.preview.chart import check_frame, draw_chart
from image_render.preview.layout import Layout
from image_render.preview.style import LABEL_GAP, LABEL_SIZE, LINE, MARGIN, MUTED_TEXT, PAGE, font
from image_render.spec import STANDARD, FrameSpec


def contact_sheet(
    frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str],
    *,
    columns: int = 3,
    scale: int = 2,
    spec: FrameSpec = STANDARD,
) -> Image.Image:
    """Several frames, uint8 `(window_candles, price_rows, 3)`, on one page, row by row from the upper left, each over its caption.

    Raises `ValueError` for no frames, an array that is not a frame of `spec`, a different number of frames and captions, or `columns` or
    `scale` below 1.
    """
    if len(frames) == 0:
        raise ValueError("a contact sheet needs at least one frame")
    if len(frames) != len(captions):
        raise ValueError(f"each frame needs a caption: {len(frames)} frames, {len(captions)} captions")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}")
    for frame in frames:
        check_frame(frame, scale, spec)
    layout = Layout(spec, scale)
    columns = min(columns, len(frames))
    lines = -(-len(frames) // columns)
    across, down = layout.width + MARGIN, layout.height + LINE + MARGIN
    page = Image.new("RGB", (MARGIN + columns * across, MARGIN + lines * down), PAGE)
    canvas, label_font = ImageDraw.Draw(page), font(LABEL_SIZE)
    for position, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        line, column = divmod(position, columns)
        left, top = MARGIN + column * across, MARGIN + line * down
        page.paste(draw_chart(frame, layout), (left, top))
        canvas.text((left, top + layout.height + LABEL_GAP), caption, MUTED_TEXT, label_font, anchor="lt")
    return page
