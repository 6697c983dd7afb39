"""Where everything stands on a page, in points: labels with a font of 6 points a letter, and what is painted in each colour."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from image_render.preview import contact_sheet, preview, style
from image_render.preview.attribution import attribution_panel
from image_render.preview.predicted_range import PredictedRange
from image_render.spec import BODY, VOLUME, WICK, FrameSpec

pytestmark = pytest.mark.usefixtures("tokyo")  # labels are in UTC nevertheless

SPEC = FrameSpec(window_candles=60, price_rows=8)
START_MS = 1_557_446_400_000  # 2019-05-10
TIMES = (START_MS, START_MS + 59 * 60_000)


Label = tuple[str, int, int, str]
"""The text, where it stands, and its font: size, anchor, and `*` for strong ink."""


class Font:
    def __init__(self, size: int) -> None:
        self.size = size

    def getlength(self, text: str) -> float:
        return 6 * len(text) + 0.4


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> list[Label]:
    """What is written on a page, which stays free of letters."""
    written: list[Label] = []

    def write(_: object, at: tuple[int, int], text: str, fill: style.Colour, font: Font, anchor: str) -> None:
        assert fill in (style.TEXT, style.MUTED_TEXT)
        written.append((text, *at, f"{font.size}{anchor}{'*' if fill == style.TEXT else ''}"))

    monkeypatch.setattr(ImageFont, "load_default", Font)
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", write)
    return written


def frame() -> NDArray[np.uint8]:
    """A body, a wick and a volume at both ends, the last ones one row high."""
    drawn = np.zeros(SPEC.shape, np.uint8)
    drawn[0, 2:5, BODY] = drawn[0, 1:7, WICK] = drawn[0, :, VOLUME] = 1
    drawn[59, 0, BODY] = drawn[59, 0:2, WICK] = drawn[59, 0, VOLUME] = 1
    return drawn


def painted(image: Image.Image, *colours: style.Colour) -> list[tuple[int, int, int, int, int]]:
    """Left, top, right and bottom of each colour, and how many points have it."""
    found = []
    for colour in colours:
        y, x = np.nonzero(np.all(np.asarray(image) == colour, axis=2))
        found.append((int(x.min()), int(y.min()), int(x.max()), int(y.max()), len(x)))
    return found


def test_a_page_with_axes_panels_and_footnotes(labels: list[Label]) -> None:
    effects = np.array([[-0.5, 1.0], [1.0, -1.0]])
    panels = [attribution_panel(name, effects, ["body", "all"], (0, 30), unit="bp", scale=6, spec=SPEC) for name in ("rise", "fall")]
    axes = {"open_times_ms": TIMES, "price_range": (100.0, 114.0)}
    page = preview(frame(), title="DEMOUSD", panels=panels, footnotes=["one", "two"], scale=6, spec=SPEC, **axes)  # type: ignore[arg-type]
    assert page.size == (468, 504)
    assert labels == [
        ("DEMOUSD", 24, 24, "18lt*"),
        ("2019-05-10 00:00 to 00:59 UTC  ·  low 100, high 114", 24, 52, "12lt"),
        ("volume", 368, 52, "12lt"),
        ("wick", 316, 52, "12lt"),
        ("body", 264, 52, "12lt"),
        *((str(100 + 2 * row), 412, 129 - 6 * row, "12lm") for row in range(8)),
        *((label, 36 + 90 * number, 174, "12mt") for number, label in enumerate(("2019-05-10", "00:15", "00:30", "00:45"))),
        ("rise", 24, 202, "14lt*"),
        ("+1 bp", 374, 202, "12lt"),
        ("-1", 237, 202, "12rt"),
        ("all", 412, 258, "12lm"),
        ("body", 412, 300, "12lm"),
        ("fall", 24, 326, "14lt*"),
        ("+1 bp", 374, 326, "12lt"),
        ("-1", 237, 326, "12rt"),
        ("all", 412, 382, "12lm"),
        ("body", 412, 424, "12lm"),
        ("one", 24, 444, "12lt"),
        ("two", 24, 466, "12lt"),
    ]
    assert np.asarray(page)[0, 0].tolist() == list(style.PAGE)
    assert painted(page, style.CHART_BACKGROUND, style.BORDER, style.GRID) == [
        (25, 75, 402, 434, 61522),
        (24, 74, 403, 435, 4426),
        (25, 75, 402, 164, 3282),
    ]
    assert painted(page, style.BODY_COLOUR, style.WICK_COLOUR, style.VOLUME_COLOUR) == [
        (34, 52, 392, 131, 201),
        (36, 52, 390, 125, 105),
        (34, 52, 392, 164, 151),
    ]
    lowers, raises = (tuple(panels[0].colours[at].tolist()) for at in (0, -1))
    assert painted(page, lowers, raises) == [(214, 202, 392, 412, 10756), (34, 202, 392, 431, 16484)]


def test_a_page_with_a_prediction(labels: list[Label]) -> None:
    predicted = PredictedRange(candles=2, close=103.0, highest=118.0, lowest=99.0, end=110.0)
    page = preview(frame(), open_times_ms=TIMES, price_range=(100.0, 114.0), prediction=predicted, scale=6, spec=SPEC)
    assert page.size == (480, 234)
    assert labels[2] == ("predicted range", 326, 52, "12lt")
    assert labels[6:10] == [(str(100 + 5 * number), 424, 141 - 15 * number, "12lm") for number in range(4)]
    assert labels[-1] == ("01:00", 396, 196, "12mt")
    assert painted(page, style.CHART_BACKGROUND, style.PREDICTION_COLOUR, style.PREDICTION_LINE) == [
        (25, 75, 414, 186, 40422),
        (394, 88, 405, 143, 629),
        (312, 52, 405, 144, 149),
    ]


@pytest.mark.parametrize(("price", "band"), [(1e9, (394, 76, 405, 179, 1067)), (-1e9, (394, 115, 405, 188, 753))], ids=["up", "down"])
def test_a_prediction_beyond_the_chart_stays_within_its_border(labels: list[Label], price: float, band: tuple[int, ...]) -> None:
    predicted = PredictedRange(candles=2, close=103.0, highest=max(price, 105.0), lowest=min(price, 99.0), end=price)
    page = preview(frame(), open_times_ms=TIMES, price_range=(100.0, 114.0), prediction=predicted, scale=6, spec=SPEC)
    assert painted(page, style.PREDICTION_COLOUR) == [band]


def test_a_contact_sheet(labels: list[Label]) -> None:
    sheet = contact_sheet([frame()] * 3, ["a", "b", "c"], columns=2, scale=6, spec=SPEC)
    assert sheet.size == (832, 300)
    assert labels == [("a", 24, 124, "12lt"), ("b", 428, 124, "12lt"), ("c", 24, 262, "12lt")]
    assert np.asarray(sheet)[0, 0].tolist() == list(style.PAGE)
    assert painted(sheet, style.CHART_BACKGROUND, style.BORDER, style.BODY_COLOUR) == [
        (25, 25, 806, 252, 100284),
        (24, 24, 807, 253, 3954),
        (34, 52, 796, 219, 360),
    ]


def test_the_heading_of_a_chart_over_midnight_has_both_dates(labels: list[Label]) -> None:
    preview(frame(), open_times_ms=(START_MS, START_MS + 59 * 3_600_000), scale=6, spec=SPEC)
    assert labels[1][0] == "2019-05-10 00:00 to 2019-05-12 11:00 UTC"
