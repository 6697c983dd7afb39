from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_render.preview import preview
from image_render.preview.predicted_range import PredictedRange, extend_frame
from image_render.spec import VOLUME, FrameSpec

SPEC = FrameSpec(4, 6)
TIMES = (0, 180_000)
FRAME = np.random.default_rng(1).integers(0, 2, SPEC.shape, dtype=np.uint8)
prices = st.floats(50, 150)


def prediction(highest: float = 102, lowest: float = 98, end: float = 101) -> PredictedRange:
    return PredictedRange(candles=2, close=100, highest=highest, lowest=lowest, end=end)


def test_a_prediction_within_the_range_adds_candles_alone() -> None:
    extended = extend_frame(FRAME, SPEC, TIMES, (95, 105), prediction())
    assert extended.spec == FrameSpec(6, 6)
    assert extended.open_times_ms == (0, 300_000)
    assert extended.price_range == (95, 105)
    np.testing.assert_array_equal(extended.frame[:4], FRAME)
    assert not extended.frame[4:].any()


def test_a_prediction_beyond_the_range_adds_rows_of_the_same_height() -> None:
    extended = extend_frame(FRAME, SPEC, TIMES, (95, 105), prediction(highest=108, lowest=94))  # 2 a row
    assert extended.spec == FrameSpec(6, 6 + 2 + 1)
    assert extended.price_range == (93, 109)
    np.testing.assert_array_equal(extended.frame[:4, 1:7, :2], FRAME[..., :2])


@given(highest=prices, lowest=prices)
def test_the_rows_of_the_candles_keep_their_prices(highest: float, lowest: float) -> None:
    extended = extend_frame(FRAME, SPEC, TIMES, (95, 105), prediction(max(highest, 100), min(lowest, 100)))
    low, high = extended.price_range
    assert (high - low) / (extended.spec.price_rows - 1) == pytest.approx(2)
    assert extended.spec.price_rows <= 3 * SPEC.price_rows


@pytest.mark.parametrize(
    ("predicted", "above", "below"),
    [({"highest": 1e9}, 6, 0), ({"lowest": -1e9}, 0, 6), ({"highest": 116}, 6, 0), ({"lowest": 94.9}, 0, 1)],
)
def test_at_most_as_many_rows_are_added_as_the_frame_has(predicted: dict[str, float], above: int, below: int) -> None:
    extended = extend_frame(FRAME, SPEC, TIMES, (95, 105), prediction(**predicted))
    assert extended.spec.price_rows == 6 + above + below
    assert extended.price_range == (95 - 2 * below, 105 + 2 * above)


def test_volume_is_as_high_as_before_in_proportion() -> None:
    frame = np.zeros(SPEC.shape, np.uint8)
    for candle, height in enumerate((0, 1, 3, 6)):
        frame[candle, :height, VOLUME] = 1
    extended = extend_frame(frame, SPEC, TIMES, (95, 105), prediction(highest=117))
    assert extended.frame[..., VOLUME].sum(axis=1).tolist() == [0, 2, 6, 12, 0, 0]


@pytest.mark.parametrize(
    ("price", "highest", "lowest", "price_rows", "price_range"),
    [
        pytest.param(100, 102, 99, 6, (100 - 2 * 2 / 3, 102), id="a rise"),
        pytest.param(100, 101, 97, 7, (97, 103), id="a decline: one more row"),
        pytest.param(100, 100, 100, 6, (100 - 2e-7 / 3, 100 + 1e-7), id="no change"),
        pytest.param(0, 0, 0, 6, (-2e-12 / 3, 1e-12), id="a price of zero"),
    ],
)
def test_a_flat_window_gets_a_range_that_shows_the_prediction(
    price: float, highest: float, lowest: float, price_rows: int, price_range: tuple[float, float]
) -> None:
    extended = extend_frame(FRAME, SPEC, TIMES, (price, price), prediction(highest, lowest))
    assert extended.spec == FrameSpec(6, price_rows)
    assert extended.price_range == pytest.approx(price_range, rel=1e-12, abs=1e-15)


def test_a_window_of_one_candle_has_no_step_in_time() -> None:
    spec = FrameSpec(1, 6)
    extended = extend_frame(np.zeros(spec.shape, np.uint8), spec, (60_000, 60_000), (95, 105), prediction())
    assert extended.open_times_ms == (60_000, 60_000)


@pytest.mark.parametrize("given", [{"open_times_ms": TIMES}, {"price_range": (95.0, 105.0)}, {}])
def test_a_prediction_needs_axes(given: dict[str, tuple[float, float]]) -> None:
    draw: Callable[..., object] = preview
    with pytest.raises(ValueError, match="prediction"):
        draw(FRAME, prediction=prediction(), spec=SPEC, **given)
