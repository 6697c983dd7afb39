import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_render.render import Frames, render_frames
from image_render.rows import Rows, empty_rows, pack_rows, rows_of_frames
from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec
from image_render.windows import Columns, windows
from tests.support.candle_strategies import SMALL_SPECS, series_in_ticks

SPEC = FrameSpec(3, 5)
TWO_WINDOWS = windows(Columns(*np.array([(1, 3, 0, 2, 4), (2, 4, 1, 4, 0), (3, 3, 2, 3, 1), (3, 5, 2, 5, 9)], float).T), SPEC)


def fill(rows: Rows, spec: FrameSpec) -> Frames:
    """The frames of the rows, pixel by pixel."""
    frames = np.zeros((len(rows), *spec.shape), np.uint8)
    for window, candles in enumerate(rows.tolist()):
        for candle, (body_low, body_high, wick_low, wick_high, volume_height) in enumerate(candles):
            frames[window, candle, body_low : body_high + 1, BODY] = 1
            frames[window, candle, wick_low : wick_high + 1, WICK] = 1
            frames[window, candle, :volume_height, VOLUME] = 1
    return frames


def test_the_rows_of_two_windows() -> None:
    assert pack_rows(TWO_WINDOWS, SPEC).tolist() == [
        [[1, 2, 0, 3, 5], [2, 4, 1, 4, 0], [3, 3, 2, 3, 1]],
        [[1, 3, 0, 3, 0], [2, 2, 1, 2, 1], [2, 4, 1, 4, 5]],
    ]


@pytest.mark.parametrize("spec", [*SMALL_SPECS, STANDARD], ids=str)
@given(data=st.data())
def test_rows_filled_are_the_frames_and_back(data: st.DataObject, spec: FrameSpec) -> None:
    every = windows(data.draw(series_in_ticks(spec.window_candles + data.draw(st.integers(0, 2)), spec.price_rows)), spec)
    frames = render_frames(every, spec)
    np.testing.assert_array_equal(fill(pack_rows(every, spec), spec), frames)
    found = rows_of_frames(frames)
    assert found is not None
    np.testing.assert_array_equal(found, pack_rows(every, spec))


@pytest.mark.parametrize("volume", [0.0, 3.0])
def test_a_flat_window_has_all_its_prices_in_row_74(volume: float) -> None:
    flat = Columns(*(np.full((1, 200), 7.0) for _ in range(4)), np.full((1, 200), volume))
    assert np.unique(pack_rows(flat)[0], axis=0).tolist() == [[74, 74, 74, 74, 150 if volume else 0]]


def test_a_part_of_a_buffer_is_filled_and_the_rest_is_left() -> None:
    assert (empty_rows(2).shape, empty_rows(2).dtype) == ((2, 200, 5), np.uint8)
    buffer = empty_rows(4, SPEC)
    buffer[:] = 77
    pack_rows(TWO_WINDOWS, SPEC, out=buffer[1:3])
    np.testing.assert_array_equal(buffer[1:3], pack_rows(TWO_WINDOWS, SPEC))
    assert (buffer[[0, 3]] == 77).all()


@pytest.mark.parametrize(
    ("spec", "out", "named"),
    [
        pytest.param(FrameSpec(3, 256), None, "256", id="too many rows"),
        pytest.param(FrameSpec(4, 5), None, "4 .* 3", id="other windows"),
        pytest.param(SPEC, empty_rows(1, SPEC), r"\(1, 3, 5\).* 2 ", id="too short"),
    ],
)
def test_rejects_what_does_not_fit(spec: FrameSpec, out: Rows | None, named: str) -> None:
    assert pack_rows(TWO_WINDOWS, FrameSpec(3, 255)).max() == 255
    with pytest.raises(ValueError, match=named):
        pack_rows(TWO_WINDOWS, spec, out=out)


@pytest.mark.parametrize(
    ("pixel", "value"),
    [
        pytest.param((0, 0, 4, BODY), 1, id="a second run in a body"),
        pytest.param((1, 2, 3, WICK), 0, id="a gap in a wick"),
        pytest.param((0, 2, 3, BODY), 0, id="no body"),
        pytest.param((0, 1, 2, VOLUME), 1, id="a volume above the lowest row"),
        pytest.param((0, 1, 3, WICK), 2, id="a pixel of 2"),
    ],
)
def test_other_frames_have_no_rows(pixel: tuple[int, ...], value: int) -> None:
    frames = render_frames(TWO_WINDOWS, SPEC)
    assert frames[pixel] != value
    frames[pixel] = value
    assert rows_of_frames(frames) is None


def test_no_frames_have_no_rows_and_a_run_may_start_in_the_first_pixel() -> None:
    assert rows_of_frames(np.zeros((0, *SPEC.shape), np.uint8)).shape == (0, 3, 5)
    rows = np.array([[[0, 4, 0, 4, 5]] * 3], np.uint8)
    np.testing.assert_array_equal(rows_of_frames(fill(rows, SPEC)), rows)
