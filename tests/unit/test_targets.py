import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinfarm.targets import flip_targets, targets_of_horizons_pct, targets_pct
from image_render.windows import Columns
from tests.support.synthetic_candles import minutes

HORIZON = 3


def series_of(*candles):
    """Candles from (high, low, close)."""
    high, low, close = np.array(candles, np.float64).T
    return Columns(open=close, high=high, low=low, close=close, volume=np.ones(len(close)))


SERIES = series_of((99, 90, 95), (110, 80, 100), (104, 98, 102), (120, 99, 103), (105, 70, 90), (999, 1, 500))


def test_targets_are_computed_from_the_horizon():
    """After the close of 100 come highs of 104, 120 and 105, lows of 98, 99 and 70, and a last close of 90."""
    expected = [pytest.approx([100 * (120 / 95 - 1), 100 * (80 / 95 - 1), 100 * (103 / 95 - 1)]), pytest.approx([20, -30, -10])]
    assert targets_pct(SERIES, np.array([0, 1]), HORIZON).tolist() == expected


def test_a_rise_may_be_negative_and_a_decline_positive():
    """The price may gap down or up and never return to the last close."""
    gap_down = series_of((100, 100, 100), (80, 70, 75))
    gap_up = series_of((100, 100, 100), (140, 120, 130))
    assert targets_pct(gap_down, np.array([0]), 1).tolist() == [pytest.approx([-20, -30, -25])]
    assert targets_pct(gap_up, np.array([0]), 1).tolist() == [pytest.approx([40, 20, 30])]


def test_the_horizon_may_end_with_the_series_but_not_later():
    assert targets_pct(SERIES, np.array([4]), 1).tolist() == [pytest.approx([1010, 100 * (1 / 90 - 1), 100 * (500 / 90 - 1)])]
    with pytest.raises(IndexError):
        targets_pct(SERIES, np.array([3]), HORIZON)


@given(last=st.integers(0, 69), horizon=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
def test_candles_outside_the_horizon_have_no_influence(last, horizon, seed):
    series = minutes(100).columns
    random = np.random.default_rng(seed)
    changed_series = Columns(*(column.copy() for column in series))
    for column in changed_series:
        column[:last] = random.random(last)
        column[last + 1 + horizon :] = random.random(100 - last - 1 - horizon)
    chosen = np.array([last])
    np.testing.assert_array_equal(targets_pct(changed_series, chosen, horizon), targets_pct(series, chosen, horizon))


@given(last=st.integers(0, 69), after=st.integers(1, 30))
def test_every_candle_of_the_horizon_has_an_influence(last, after):
    series = minutes(100).columns
    changed_series = Columns(*(column.copy() for column in series))
    changed_series.high[last + after], changed_series.low[last + after] = 1e6, 1e-6
    chosen = np.array([last])
    before, changed = (targets_pct(columns, chosen, 30)[0] for columns in (series, changed_series))
    assert changed[0] > before[0]
    assert changed[1] < before[1]


def test_flipped_targets_are_those_of_prices_reflected_at_the_last_close():
    prices = (2 * SERIES.close[1] - prices for prices in (SERIES.open, SERIES.low, SERIES.high, SERIES.close))
    found = targets_pct(Columns(*prices, SERIES.volume), np.array([1]), HORIZON)
    assert found == pytest.approx(flip_targets(np.array([[20.0, -30.0, -10.0]])))
    assert found.tolist() == [pytest.approx([30, -20, 10])]


def test_targets_of_several_horizons_are_side_by_side():
    last = np.array([0, 1])
    one, three = targets_pct(SERIES, last, 1), targets_pct(SERIES, last, HORIZON)
    found = targets_of_horizons_pct(SERIES, last, (HORIZON, 1))
    np.testing.assert_array_equal(found, np.hstack([three, one]))
    np.testing.assert_array_equal(flip_targets(found), np.hstack([flip_targets(three), flip_targets(one)]))
