import numpy as np
import pytest

from coinfarm.candles.filled_windows import MAX_FILLED_IN_A_ROW, crosses_gap, filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from tests.support.synthetic_candles import minutes


@pytest.mark.parametrize(("starts", "counts"), [([0, 1, 2, 5, 6], [2, 3, 2, 1, 1]), ([], [])])
def test_counts_the_filled_candles_of_each_window(starts: list[int], counts: list[int]) -> None:
    series = fill_gaps(minutes(10, missing={1, 2, 4, 8}))
    assert filled_counts(series, np.array(starts, np.int64), 4).tolist() == counts


@pytest.mark.parametrize(("window", "mostly"), [(4, [False, False, True]), (5, [False, False, True]), (6, [False, False, False])])
def test_a_window_is_mostly_filled_beyond_half(window: int, mostly: list[bool]) -> None:
    assert is_mostly_filled(np.array([0, 2, 3]), window).tolist() == mostly


@pytest.mark.parametrize("missing", [MAX_FILLED_IN_A_ROW, MAX_FILLED_IN_A_ROW + 1])
@pytest.mark.parametrize("length", [10, 31, 50, 200])
def test_a_gap_is_a_long_run_of_filled_candles(missing: int, length: int) -> None:
    series = fill_gaps(minutes(200, missing=set(range(60, 60 + missing)) | {150, 152}))
    starts = np.arange(200 - length + 1)
    runs = [
        "1" * (MAX_FILLED_IN_A_ROW + 1) in "".join("01"[int(filled)] for filled in series.filled[start : start + length])
        for start in starts
    ]
    assert crosses_gap(series, starts, length).tolist() == runs
    assert any(runs) == (length > MAX_FILLED_IN_A_ROW < missing)
