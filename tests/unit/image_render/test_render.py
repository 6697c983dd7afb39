"""The fast renderer: tiny frames typed by hand, and the slow oracle bit for bit."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from coinfarm.candles.validation import MAX_VALUE
from image_render.reference_renderer import render_frame
from image_render.render import Frames, _run_indices, _runs, as_planes, empty_frames, render_frames
from image_render.spec import BODY, STANDARD, VOLUME, WICK, FrameSpec
from image_render.windows import Columns, windows
from tests.support.candle_strategies import SMALL_SPECS, series_in_ticks, series_of_floats

Render = Callable[[Columns, FrameSpec], Frames]


def render_fast(series: Columns, spec: FrameSpec) -> Frames:
    return render_frames(windows(series, spec), spec)


def render_slowly(series: Columns, spec: FrameSpec) -> Frames:
    every_window = zip(*windows(series, spec), strict=True)
    return np.stack([render_frame(*(column.tolist() for column in window), spec) for window in every_window])


def series_of(*candles: tuple[float, float, float, float, float]) -> Columns:
    """Candles as open, high, low, close, volume."""
    return Columns(*np.array(candles, np.float64).T)


def picture_of(frame: Frames, channel: int) -> tuple[str, ...]:
    """A channel as people see it: the top row first, time to the right."""
    return tuple("".join("#" if pixel else "." for pixel in row) for row in frame[:, ::-1, channel].T)


@pytest.fixture(params=[render_fast, render_slowly], ids=["fast", "oracle"])
def render(request: pytest.FixtureRequest) -> Render:
    renderer: Render = request.param
    return renderer


def test_body_wick_and_volume_fill_their_rows(render: Render) -> None:
    rising_falling_and_still = series_of((1, 3, 0, 2, 4), (4, 4, 1, 2, 0), (3, 3, 2, 3, 1))
    frame = render(rising_falling_and_still, FrameSpec(3, 5))[0]
    pictures = zip(*(picture_of(frame, channel) for channel in (BODY, WICK, VOLUME)), strict=True)
    assert [" ".join(rows) for rows in pictures] == [
        ".#. .#. #..",
        ".## ### #..",
        "##. ### #..",
        "#.. ##. #..",
        "... #.. #.#",
    ]


def test_a_price_between_two_rows_is_rounded_to_the_even_one(render: Render) -> None:
    """0, 0.5, 1, 1.5 and 2 rows above the lowest price."""
    one_price_each = series_of(*((price, price, price, price, 1) for price in range(10, 15)))
    assert picture_of(render(one_price_each, FrameSpec(5, 3))[0], WICK) == (
        "...##",
        "..#..",
        "##...",
    )


def test_a_volume_between_two_rows_is_rounded_to_the_even_one(render: Render) -> None:
    """0, 0.5, 1, 1.5, 2, 2.5 and 3 rows of the largest volume's three."""
    volumes = series_of(*((1, 1, 1, 1, volume) for volume in range(7)))
    assert picture_of(render(volumes, FrameSpec(7, 3))[0], VOLUME) == (
        "......#",
        "...####",
        "..#####",
    )


@pytest.mark.parametrize("price", [1e-8, 1.0, 1e6])
def test_a_flat_window_without_volume_is_a_line_in_the_middle(render: Render, price: float) -> None:
    frame = render(series_of(*[(price, price, price, price, 0)] * 2), FrameSpec(2, 4))[0]
    line = ("..", "..", "##", "..")
    assert picture_of(frame, BODY) == picture_of(frame, WICK) == line
    assert picture_of(frame, VOLUME) == ("..",) * 4


def test_each_window_is_scaled_to_itself(render: Render) -> None:
    first, second = render(series_of((1, 2, 1, 2, 1), (2, 3, 2, 3, 1), (3, 99, 3, 99, 1)), FrameSpec(2, 3))
    assert picture_of(first, BODY) == (".#", "##", "#.")
    assert picture_of(second, BODY) == (".#", ".#", "##")


@pytest.mark.parametrize("spec", SMALL_SPECS, ids=str)
@given(data=st.data())
def test_small_frames_equal_the_oracles_bit_for_bit(data: st.DataObject, spec: FrameSpec) -> None:
    series = data.draw(series_in_ticks(spec.window_candles + data.draw(st.integers(0, 3)), spec.price_rows))
    np.testing.assert_array_equal(render_fast(series, spec), render_slowly(series, spec))


@given(series=series_of_floats(FrameSpec(3, 5).window_candles))
def test_frames_of_any_finite_prices_equal_the_oracles(series: Columns) -> None:
    np.testing.assert_array_equal(render_fast(series, FrameSpec(3, 5)), render_slowly(series, FrameSpec(3, 5)))


@settings(max_examples=30)
@given(series=series_in_ticks(STANDARD.window_candles, STANDARD.price_rows))
def test_standard_frames_equal_the_oracles_bit_for_bit(series: Columns) -> None:
    np.testing.assert_array_equal(render_fast(series, STANDARD), render_slowly(series, STANDARD))


def test_frames_of_synthetic_candles_equal_the_oracles() -> None:
    series = generate("DEMOUSD", "1m", 1_577_836_800_000, 240, seed=5).columns
    np.testing.assert_array_equal(render_fast(series, STANDARD), render_slowly(series, STANDARD))


def test_frames_of_real_candles_equal_the_oracles(real_klines: Candles) -> None:
    series = real_klines[:260].columns
    np.testing.assert_array_equal(render_fast(series, STANDARD), render_slowly(series, STANDARD))


SMALLEST, LARGEST = float(np.nextafter(0, 1)), MAX_VALUE


@pytest.mark.parametrize("spec", [FrameSpec(2, 3), FrameSpec(2, 150), FrameSpec(2, 1_001)], ids=str)
@given(series=series_of_floats(2))
@example(series=series_of((SMALLEST, LARGEST, SMALLEST, LARGEST, SMALLEST), (LARGEST, LARGEST, SMALLEST, SMALLEST, LARGEST)))
@example(series=series_of((SMALLEST, 2 * SMALLEST, SMALLEST, 2 * SMALLEST, SMALLEST), (3 * SMALLEST,) * 4 + (SMALLEST,)))
@example(series=series_of((1.0, np.nextafter(1, 2), 1.0, np.nextafter(1, 2), 0), (1.0, 1.0, 1.0, 1.0, 0)))
def test_every_run_index_is_within_its_part_of_the_table(series: Columns, spec: FrameSpec) -> None:
    """`render_frames` clips indices instead of checking them: one outside would render another picture, silently."""
    indices, rows = _run_indices(windows(series, spec), spec), spec.price_rows
    first, last = np.divmod(indices[:, [BODY, WICK]], rows)
    assert ((first >= 0) & (first <= last) & (last < rows)).all()
    assert indices[:, [BODY, WICK]].max() < rows * rows
    heights = indices[:, VOLUME] - rows * rows
    assert ((heights >= 0) & (heights <= rows)).all()


def test_frames_lie_in_memory_channel_by_channel() -> None:
    """Each candle's rows are one copy from the table, and TensorFlow and OpenVINO take the planes without another."""
    frames = render_fast(generate("DEMOUSD", "1m", 1_577_836_800_000, 202, seed=1).columns, STANDARD)
    assert frames.shape == (3, 200, 150, 3)
    assert frames.dtype == np.uint8
    assert frames.strides == (3 * 200 * 150, 150, 1, 200 * 150)
    assert as_planes(frames).flags.c_contiguous
    assert np.shares_memory(as_planes(frames), frames)


SPEC = FrameSpec(3, 5)
TWO_WINDOWS = windows(series_of((1, 3, 0, 2, 4), (2, 4, 1, 4, 0), (3, 3, 2, 3, 1), (3, 5, 2, 5, 9)), SPEC)


def test_a_part_of_a_buffer_is_overwritten_and_the_rest_is_left() -> None:
    buffer = empty_frames(4, SPEC)
    buffer[:] = 77
    part = buffer[1:3]
    assert render_frames(TWO_WINDOWS, SPEC, out=part) is part
    np.testing.assert_array_equal(buffer[1:3], render_frames(TWO_WINDOWS, SPEC))
    assert (buffer[[0, 3]] == 77).all()


def test_changing_a_frame_does_not_change_the_next() -> None:
    clean = render_frames(TWO_WINDOWS, SPEC).copy()
    render_frames(TWO_WINDOWS, SPEC)[:] = 77
    np.testing.assert_array_equal(render_frames(TWO_WINDOWS, SPEC), clean)


@pytest.mark.parametrize(
    ("buffer", "spec", "named"),
    [
        pytest.param(None, FrameSpec(4, 5), r"4 .* 3", id="windows of another length"),
        pytest.param(empty_frames(1, SPEC), SPEC, r"\(2, 3, 5, 3\).*\(1, 3, 5, 3\)", id="too short"),
        pytest.param(empty_frames(2, FrameSpec(3, 6)), SPEC, r"\(2, 3, 5, 3\).*\(2, 3, 6, 3\)", id="other rows"),
        pytest.param(np.empty((2, 3, 5, 3), np.uint8), SPEC, "empty_frames", id="channels interleaved"),
        pytest.param(empty_frames(4, SPEC)[::2], SPEC, "empty_frames", id="every second frame"),
    ],
)
def test_rejects_what_does_not_fit(buffer: Frames | None, spec: FrameSpec, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        render_frames(TWO_WINDOWS, spec, out=buffer)


def test_the_table_of_runs_is_read_only() -> None:
    """It is shared by all threads."""
    table = _runs.__wrapped__(5)  # as without the cache
    assert not table.flags.writeable
    assert table.shape == (5 * 5 + 6, 5)
