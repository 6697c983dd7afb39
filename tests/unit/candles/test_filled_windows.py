import numpy as np
import pytest

from coinfarm.candles.filled_windows import filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from tests.support.synthetic_candles import minutes


@pytest.mark.parametrize(("starts", "counts"), [([0, 1, 2, 5, 6], [2, 3, 2, 1, 1]), ([], [])])
def test_counts_the_filled_candles_of_each_window(starts: list[int], counts: list[int]) -> None:
    series = fill_gaps(minutes(10, missing={1, 2, 4, 8}))
    assert filled_counts(series, np.array(starts, np.int64), 4).tolist() == counts


@pytest.mark.parametrize(("window", "mostly"), [(4, [False, False, True]), (5, [False, False, True]), (6, [False, False, False])])
def test_a_window_is_mostly_filled_beyond_half(window: int, mostly: list[bool]) -> None:
    assert is_mostly_filled(np.array([0, 2, 3]), window).tolist() == mostly
