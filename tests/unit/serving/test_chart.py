import io

from PIL import Image, ImageChops

from coinfarm.prediction.series import Series
from coinfarm.serving.chart import chart_png
from tests.support.synthetic_candles import minutes


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def test_one_window_is_a_chart_with_its_prices_and_times() -> None:
    assert opened(chart_png(Series(minutes(200)))).size == (908, 902)  # as `test_preview` finds them with both axes


def test_several_windows_are_a_sheet_that_begins_with_the_same_tile() -> None:
    candles = minutes(300)
    two, three = (opened(chart_png(Series(candles[:count], stride=50))) for count in (250, 300))
    assert three.width > two.width
    assert three.height == two.height
    whole_first_tile = (0, 0, two.width // 2, two.height)
    assert ImageChops.difference(two.crop(whole_first_tile), three.crop(whole_first_tile)).getbbox() is None
