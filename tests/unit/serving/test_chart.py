import io

from PIL import Image, ImageChops

from coinfarm.prediction.series import Series
from coinfarm.serving.chart import chart_png
from tests.support.synthetic_candles import minutes


def opened(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def test_renders_one_window_as_a_chart():
    assert opened(chart_png(Series(minutes(200)))).size == (908, 902)  # the size in test_preview with both axes


def test_renders_several_windows_as_a_sheet():
    candles = minutes(300)
    two, three = (opened(chart_png(Series(candles[:count], stride=50))) for count in (250, 300))
    assert three.width > two.width
    assert three.height == two.height
    first_tile = (0, 0, two.width // 2, two.height)
    assert ImageChops.difference(two.crop(first_tile), three.crop(first_tile)).getbbox() is None
