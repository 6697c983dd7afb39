import numpy as np
import pytest

from image_render.spec import FrameSpec
from image_render.windows import Columns, window_count, window_range_pct, windows

SPEC = FrameSpec(window_candles=3, price_rows=5)


def series(count: int) -> Columns:
    close = np.arange(1.0, count + 1)
    return Columns(open=close, high=close + 1, low=close - 0.5, close=close, volume=close * 10)


@pytest.mark.parametrize(
    ("candle_count", "stride", "count"),
    [
        pytest.param(0, 1, 0, id="none"),
        pytest.param(2, 1, 0, id="one candle short"),
        pytest.param(3, 1, 1, id="one window"),
        pytest.param(5, 1, 3, id="three windows"),
        pytest.param(5, 2, 2, id="the stride fits"),
        pytest.param(6, 2, 2, id="the stride leaves a candle over"),
        pytest.param(5, 100, 1, id="the stride is longer than the series"),
    ],
)
def test_windows_are_counted_as_they_are_cut(candle_count: int, stride: int, count: int) -> None:
    assert window_count(candle_count, SPEC, stride) == count
    assert window_count(candle_count + 197, stride=stride) == count
    if count:
        assert [len(column) for column in windows(series(candle_count), SPEC, stride)] == [count] * 5


def test_windows_are_stride_candles_apart_and_oldest_first() -> None:
    assert windows(series(7), SPEC, stride=2).close.tolist() == [[1, 2, 3], [3, 4, 5], [5, 6, 7]]


def test_windows_are_views_that_copy_no_price() -> None:
    columns = series(1_000)
    views = windows(columns, SPEC)
    assert all(np.shares_memory(view, column) for view, column in zip(views, columns, strict=True))


def test_windows_are_read_only() -> None:
    """They overlap: a price written to one would change its neighbours."""
    with pytest.raises(ValueError, match="read-only"):
        windows(series(5), SPEC).close[0, 0] = 7


@pytest.mark.parametrize(
    ("candle_count", "stride", "named"),
    [
        pytest.param(2, 1, "3 .* 2", id="too short"),
        pytest.param(5, 0, "stride .* 0", id="no stride"),
        pytest.param(5, -1, "stride .* -1", id="a stride backwards"),
    ],
)
def test_rejects_a_short_series_and_a_stride_below_one(candle_count: int, stride: int, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        windows(series(candle_count), SPEC, stride)


def test_the_range_of_a_window_is_in_percent_of_its_last_close() -> None:
    high, low, close = np.array([15.0, 14, 12, 11]), np.array([8.0, 11, 10, 11]), np.array([12.0, 11, 10, 11])
    cut = windows(Columns(close, high, low, close, np.zeros(4)), SPEC)
    assert window_range_pct(cut).tolist() == pytest.approx([100 * (15 - 8) / 10, 100 * (14 - 10) / 11])
    flat = Columns(*(np.full(3, 7.0) for _ in Columns._fields))
    assert window_range_pct(windows(flat, SPEC)).tolist() == [0]
