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
def observations() -> Observations:
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


def test_features_equal_a_slow_computation(observations: Observations) -> None:
    assert observations.features.shape == (3, len(FEATURE_NAMES))
    np.testing.assert_allclose(observations.features, [slow_features(start) for start in STARTS], rtol=1e-6)
    np.testing.assert_array_equal(observations.close_time, CANDLES.open_time[STARTS + WINDOW] - 1)
    np.testing.assert_array_equal(observations.range_pct, observations.features[:, 5])
    np.testing.assert_array_equal(observations.volatility_pct, observations.features[:, 6])


def test_persistence_is_the_move_of_the_last_candles_of_the_window(observations: Observations) -> None:
    last = STARTS + WINDOW - 1
    for persistence, at in zip(observations.persistence_pct, last, strict=True):
        before = CANDLES.columns.close[at - HORIZON]
        part = slice(at - HORIZON + 1, at + 1)
        moved = [CANDLES.columns.high[part].max(), CANDLES.columns.low[part].min(), CANDLES.columns.close[at]]
        np.testing.assert_allclose(persistence, 100 * (np.array(moved) / before - 1))


def test_later_candles_change_only_the_outcome(observations: Observations) -> None:
    changed = Columns(*(column.copy() for column in CANDLES.columns))
    for column in changed:
        column[7 + WINDOW :] *= 1.5
    after = observations_at(Candles("DEMOUSD", "1m", CANDLES.open_time, changed, CANDLES.filled), STARTS, HORIZON)
    np.testing.assert_array_equal(after.features[:2], observations.features[:2])
    np.testing.assert_array_equal(after.persistence_pct[:2], observations.persistence_pct[:2])
    assert (after.actual_pct[:2, 0] > observations.actual_pct[:2, 0]).all()
    assert (after.features[2] != observations.features[2]).any()  # windows that contain changed candles do change
