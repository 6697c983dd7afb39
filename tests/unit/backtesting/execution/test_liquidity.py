"""Trailing volumes and ranges against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coinfarm.backtesting.execution.liquidity import (
    has_trades,
    next_traded,
    quote_volume,
    trailing_median,
    trailing_median_reaches,
    trailing_range_bps,
)
from tests.support.backtest_markets import flat, market


def test_missing_candles_and_those_without_volume_have_no_trades() -> None:
    candles = market([flat(), (*flat(), 0.0), (*flat(), 2.0), flat(), flat()], missing=[3])
    assert has_trades(candles).tolist() == [True, False, True, False, True]
    assert next_traded(candles).tolist() == [0, 2, 2, 4, 4, 5]
    assert quote_volume(candles).tolist() == [1e8, 0, 200, 0, 1e8]


@given(arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([0.0, 1.0, 2.0, 5.0])), st.integers(1, 10), st.data())
def test_trailing_medians_end_at_their_candle(values, window, data):
    at = np.array(data.draw(st.lists(st.integers(0, len(values) - 1), max_size=10)), np.int64)
    expected = np.array([np.median(values[max(0, each + 1 - window) : each + 1]) for each in at])
    np.testing.assert_array_equal(trailing_median(values, at, window), expected)
    for threshold in (1.0, 2.0):
        assert (expected >= threshold)[trailing_median_reaches(values, at, window, threshold)].all()


def test_trailing_ranges_leave_out_candles_without_trades() -> None:
    candles = market([(100, 110, 90, 100), (100, 103, 99, 100), (*flat(), 0.0), (100, 101, 99, 100)])
    found = trailing_range_bps(candles, np.arange(4), 2)
    assert found.tolist() == pytest.approx([2_000, 1_200, 400, 200])
