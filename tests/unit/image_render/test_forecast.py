"""A forecast next to a frame: nothing of the frame is lost, and the larger chart covers the forecast's prices."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_render.forecast import Forecast, extend_frame
from image_render.preview import FORECAST_COLOUR, FORECAST_LINE, preview
from image_render.spec import FrameSpec

SPEC = FrameSpec(4, 6)
TIMES = (0, 180_000)
FRAME = np.random.default_rng(1).integers(0, 2, SPEC.shape, dtype=np.uint8)
prices = st.floats(50, 150)


def forecast(highest: float = 102, lowest: float = 98, end: float = 101) -> Forecast:
    return Forecast(candles=2, close=100, highest=highest, lowest=lowest, end=end)


def test_a_forecast_within_the_range_adds_candles_alone() -> None:
    room = extend_frame(FRAME, SPEC, TIMES, (95, 105), forecast())
    assert room.spec == FrameSpec(6, 6)
    assert room.open_times_ms == (0, 300_000)
    assert room.price_range == (95, 105)
    np.testing.assert_array_equal(room.frame[:4], FRAME)
    assert not room.frame[4:].any()


def test_a_forecast_beyond_the_range_adds_rows_of_the_same_height() -> None:
    room = extend_frame(FRAME, SPEC, TIMES, (95, 105), forecast(highest=108, lowest=94))  # 2 a row
    assert room.spec == FrameSpec(6, 6 + 2 + 1)
    assert room.price_range == (93, 109)
    np.testing.assert_array_equal(room.frame[:4, 1:7, :2], FRAME[..., :2])


@given(highest=prices, lowest=prices)
def test_the_rows_of_the_candles_keep_their_prices(highest: float, lowest: float) -> None:
    room = extend_frame(FRAME, SPEC, TIMES, (95, 105), forecast(max(highest, 100), min(lowest, 100)))
    low, high = room.price_range
    assert (high - low) / (room.spec.price_rows - 1) == pytest.approx(2)
    assert room.spec.price_rows <= 3 * SPEC.price_rows


def test_a_flat_window_gets_a_range_that_shows_the_forecast() -> None:
    room = extend_frame(FRAME, SPEC, TIMES, (100, 100), forecast())
    assert room.price_range[0] <= 98
    assert room.price_range[1] >= 102


@pytest.mark.parametrize("end", [98.0, 100.0, 1e9])
def test_the_chart_shows_a_band_over_the_candles_to_come(end: float) -> None:
    chart = np.asarray(preview(FRAME, open_times_ms=TIMES, price_range=(95, 105), forecast=forecast(end=end), scale=5, spec=SPEC))
    bare = np.asarray(preview(FRAME, open_times_ms=TIMES, price_range=(95, 105), scale=5, spec=SPEC))
    assert chart.shape[1] == bare.shape[1] + 2 * 5
    for colour in (FORECAST_COLOUR, FORECAST_LINE):
        columns = np.flatnonzero((chart[80:] == colour).all(axis=2).any(axis=0))
        assert len(columns)
        assert columns.min() >= 24 + 10 + 4 * 5 - 1  # margin, padding, the window's candles; half the width of a steep line


@pytest.mark.parametrize("given", [{"open_times_ms": TIMES}, {"price_range": (95.0, 105.0)}, {}])
def test_a_forecast_needs_axes(given: dict[str, tuple[float, float]]) -> None:
    draw: Callable[..., object] = preview
    with pytest.raises(ValueError, match="forecast"):
        draw(FRAME, forecast=forecast(), spec=SPEC, **given)
