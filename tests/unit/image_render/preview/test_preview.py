import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from image_render.preview import contact_sheet, png_bytes, preview
from image_render.preview.style import BODY_COLOUR, GRID, VOLUME_COLOUR, WICK_COLOUR, Colour
from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec

SMALL = FrameSpec(window_candles=4, price_rows=5)
BELOW_LEGEND = slice(74, None)
RISING = (
    "...w",
    "..wB",
    "..B.",
    "wBB.",
    "B...",
)
FALLING = (
    "B...",
    "wB..",
    ".wB.",
    "..wB",
    "...w",
)


def frame_of(drawing: tuple[str, ...], volumes: tuple[int, ...] = (0, 0, 0, 0)) -> NDArray[np.uint8]:
    """A frame of `SMALL`: the drawing has the top row first, `w` for a wick and `B` for a body, which has wick behind it."""
    letters = np.array([list(line) for line in drawing])[::-1].T
    frame = np.zeros(SMALL.shape, np.uint8)
    frame[..., BODY] = letters == "B"
    frame[..., WICK] = letters != "."
    frame[..., VOLUME] = np.arange(SMALL.price_rows) < np.array(volumes)[:, None]
    return frame


def points_of(image: Image.Image, colour: Colour) -> NDArray[np.bool_]:
    points: NDArray[np.bool_] = np.all(np.asarray(image) == colour, axis=2)
    return points


def prices_drawn(frame: NDArray[np.uint8], scale: int) -> tuple[str, ...]:
    """What is painted of body and wick, point by point, cut to its bounds. A contact sheet has no legend in these colours."""
    sheet = contact_sheet([frame], [""], scale=scale, spec=SMALL)
    body, wick = points_of(sheet, BODY_COLOUR), points_of(sheet, WICK_COLOUR)
    y, x = np.nonzero(body | wick)
    letters = np.where(body, "B", np.where(wick, "w", "."))[y.min() : y.max() + 1, x.min() : x.max() + 1]
    return tuple("".join(line) for line in letters)


@pytest.mark.parametrize("drawing", [pytest.param(RISING, id="rising"), pytest.param(FALLING, id="falling")])
def test_prices_rise_upwards_and_time_runs_to_the_right(drawing: tuple[str, ...]) -> None:
    assert prices_drawn(frame_of(drawing), scale=1) == drawing


def test_a_body_leaves_a_gap_and_a_wick_is_a_line_in_its_middle() -> None:
    drawing = ("....", "w...", "B...", ".B..", "....")
    assert prices_drawn(frame_of(drawing), scale=4) == (
        *[".w....."] * 4,
        *["BBB...."] * 4,
        *["....BBB"] * 4,
    )


@pytest.mark.parametrize("scale", range(1, 13))
def test_every_pixel_can_be_read_back_at_every_scale(scale: int) -> None:
    drawn = prices_drawn(frame_of(RISING), scale)
    smallest_volume = contact_sheet([frame_of(RISING, volumes=(0, 1, 0, 0))], [""], scale=scale, spec=SMALL)
    assert points_of(smallest_volume, VOLUME_COLOUR).any()
    middle = (scale - 1) // 2 if scale < 4 else (scale - 1 - scale % 2) // 2
    assert tuple(line[middle::scale] for line in drawn[::scale]) == RISING


def test_volume_is_below_the_prices_and_grows_from_the_bottom() -> None:
    sheet = contact_sheet([frame_of(RISING, volumes=(5, 0, 2, 1))], [""], scale=4, spec=SMALL)
    volume = points_of(sheet, VOLUME_COLOUR)
    prices = points_of(sheet, BODY_COLOUR) | points_of(sheet, WICK_COLOUR)
    top, floor = np.flatnonzero(volume.any(axis=1))[[0, -1]]
    assert top > np.flatnonzero(prices.any(axis=1))[-1]
    left = np.flatnonzero(volume.any(axis=0))[0]
    assert volume[floor, left : left + 16].tolist() == [*[True] * 3, *[False] * 5, *[True] * 3, False, *[True] * 3, False]
    assert volume[:, left : left + 16 : 4].sum(axis=0).tolist() == [5, 0, 2, 1]


def test_a_flat_window_without_volume_is_one_line() -> None:
    frame = np.zeros(STANDARD.shape, np.uint8)
    frame[:, STANDARD.flat_row, [BODY, WICK]] = 1
    sheet = contact_sheet([frame], ["flat"], scale=2)
    line = points_of(sheet, BODY_COLOUR)
    assert line.sum() == STANDARD.window_candles * 2 * 2
    assert line.any(axis=1).sum() == 2
    assert not points_of(sheet, VOLUME_COLOUR).any()
    assert preview(frame, open_times_ms=(0, 199 * 60_000), price_range=(1e-8, 1e-8)).size == (908, 902)


def test_grid_lines_pass_through_their_price_and_their_candle() -> None:
    frame = np.zeros(STANDARD.shape, np.uint8)
    frame[10, 20, [BODY, WICK]] = 1  # a row for each dollar: 120 is a round price, and in row 20
    image = preview(frame, price_range=(100.0, 249.0))
    body_rows = np.flatnonzero(points_of(image, BODY_COLOUR)[BELOW_LEGEND].any(axis=1))
    price_lines = np.flatnonzero(points_of(image, GRID)[BELOW_LEGEND].sum(axis=1) > 700)
    assert len(price_lines) == len(range(100, 250, 20))
    assert price_lines[-2] in body_rows
    frame[60, :, [BODY, WICK]] = 1
    image = preview(frame, open_times_ms=(0, 199 * 60_000))  # 01:00 is candle 60
    body_columns = np.flatnonzero(points_of(image, BODY_COLOUR)[BELOW_LEGEND].any(axis=0))
    time_lines = np.flatnonzero(points_of(image, GRID)[BELOW_LEGEND].sum(axis=0) > 100)
    assert len(time_lines) == 7
    assert time_lines[2] in body_columns


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        pytest.param(np.zeros((150, 200, 3), np.uint8), r"uint8 \(150, 200, 3\)", id="rows first"),
        pytest.param(np.zeros((1, 200, 150, 3), np.uint8), r"uint8 \(1, 200, 150, 3\)", id="a batch"),
        pytest.param(np.zeros((200, 150, 3)), r"float64 \(200, 150, 3\)", id="float"),
        pytest.param(np.zeros((200, 150, 3), bool), r"bool \(200, 150, 3\)", id="bool"),
    ],
)
def test_rejects_what_is_not_a_frame(frame: NDArray[np.uint8], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        preview(frame)
    with pytest.raises(ValueError, match=named):
        contact_sheet([frame], [""])
    with pytest.raises(ValueError, match=r"scale .* 0"):
        preview(frame_of(RISING), scale=0, spec=SMALL)


def test_a_contact_sheet_is_filled_row_by_row() -> None:
    frames = [frame_of(RISING), frame_of(FALLING), frame_of(RISING, (1, 2, 3, 4)), frame_of(FALLING, (5, 5, 5, 5))]
    captions = ["a", "b", "c", "d"]
    alone = [contact_sheet([frame], [caption], columns=1, scale=8, spec=SMALL) for frame, caption in zip(frames, captions, strict=True)]
    sheet = contact_sheet(np.stack(frames), captions, columns=3, scale=8, spec=SMALL)
    width, height = alone[0].size
    margin = (3 * width - sheet.width) // 2  # tiles share the margin between them
    across, down = width - margin, height - margin
    assert sheet.size == (2 * across + width, down + height)
    for position, tile in enumerate(alone):
        left, top = position % 3 * across, position // 3 * down
        assert sheet.crop((left, top, left + width, top + height)) == tile


@pytest.mark.parametrize(
    ("count", "captions", "columns", "named"),
    [
        pytest.param(0, [], 3, "frame", id="no frame"),
        pytest.param(2, ["one"], 3, "2 .* 1 ", id="a caption is missing"),
        pytest.param(1, ["one"], 0, "columns .* 0", id="no column"),
    ],
)
def test_rejects_an_invalid_contact_sheet(count: int, captions: list[str], columns: int, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        contact_sheet([frame_of(RISING)] * count, captions, columns=columns, spec=SMALL)


def test_the_png_holds_every_point() -> None:
    image = preview(frame_of(RISING), title="DEMOUSD · 1m", spec=SMALL)
    with Image.open(io.BytesIO(png_bytes(image))) as read:
        assert read.format == "PNG"
        assert read.convert("RGB") == image
