"""Features and outcomes of windows, against a slow computation of each, and blind to what comes later."""

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.evaluation.features import FEATURE_NAMES, Observations, observations_at
from image_render.windows import Columns
from tests.support.synthetic_candles import minutes

WINDOW, HORIZON = 200, 30
CANDLES = minutes(500)
STARTS = np.array([0, 7, 270])


@pytest.fixture(scope="module")
def rows() -> Observations:
    return observations_at(CANDLES, STARTS, HORIZON)


def slow_features(start: int) -> list[float]:
    high, low, close, volume = (column[start : start + WINDOW] for column in CANDLES.columns[1:])
    returns = 100 * np.diff(np.log(close))
    return [
        *(100 * (close[-1] / close[-1 - count] - 1) for count in (1, 5, 15, 60, 199)),
        100 * (high.max() - low.min()) / close[-1],
        returns.std(),
        returns[-30:].std(),
        volume[-30:].mean() / volume.mean(),
    ]


def test_the_features_are_those_of_the_window(rows: Observations) -> None:
    assert rows.features.shape == (3, len(FEATURE_NAMES))
    np.testing.assert_allclose(rows.features, [slow_features(start) for start in STARTS], rtol=1e-6)
    np.testing.assert_array_equal(rows.range_pct, rows.features[:, 5])
    np.testing.assert_array_equal(rows.volatility_pct, rows.features[:, 6])


def test_persistence_is_what_the_last_candles_of_the_window_did(rows: Observations) -> None:
    last = STARTS + WINDOW - 1
    for row, at in zip(rows.persistence_pct, last, strict=True):
        before = CANDLES.columns.close[at - HORIZON]
        part = slice(at - HORIZON + 1, at + 1)
        moved = [CANDLES.columns.high[part].max(), CANDLES.columns.low[part].min(), CANDLES.columns.close[at]]
        np.testing.assert_allclose(row, 100 * (np.array(moved) / before - 1))


def test_a_row_closes_with_the_last_millisecond_of_its_window(rows: Observations) -> None:
    np.testing.assert_array_equal(rows.close_time, CANDLES.open_time[STARTS + WINDOW] - 1)


def test_what_comes_after_a_window_changes_nothing_but_what_happened(rows: Observations) -> None:
    spoiled = Columns(*(column.copy() for column in CANDLES.columns))
    for column in spoiled:
        column[7 + WINDOW :] *= 1.5
    after = observations_at(Candles("DEMOUSD", "1m", CANDLES.open_time, spoiled, CANDLES.filled), STARTS, HORIZON)
    np.testing.assert_array_equal(after.features[:2], rows.features[:2])
    np.testing.assert_array_equal(after.persistence_pct[:2], rows.persistence_pct[:2])
    assert (after.actual_pct[:2, 0] > rows.actual_pct[:2, 0]).all()
    assert (after.features[2] != rows.features[2]).any()  # the spoiling can be seen by what may see it


def test_a_window_that_stands_still_has_features_all_the_same() -> None:
    flat = Columns(*(np.full(300, value) for value in (5.0, 5.0, 5.0, 5.0, 0.0)))
    still = observations_at(Candles("DEMOUSD", "1m", CANDLES.open_time[:300], flat, CANDLES.filled[:300]), np.array([0, 50]), HORIZON)
    assert still.features.tolist() == [[0.0] * 8 + [1.0]] * 2
    assert not still.actual_pct.any()


def test_parts_are_joined_in_order_and_chosen_alike(rows: Observations) -> None:
    both = Observations.joined([rows, rows])
    assert len(both) == 6
    chosen = both.chosen(np.array([False, True, False, False, False, True]))
    np.testing.assert_array_equal(chosen.features, rows.features[[1, 2]])
    np.testing.assert_array_equal(chosen.close_time, rows.close_time[[1, 2]])
