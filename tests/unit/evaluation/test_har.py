import numpy as np
import pytest

from coinfarm.evaluation.features import observations_at
from coinfarm.evaluation.har import SPANS, HarModel
from tests.support.synthetic_candles import hours

WINDOW, HORIZON = 200, 30
CANDLES = hours(120)
STARTS = np.arange(0, len(CANDLES) - WINDOW - HORIZON + 1, 9)


def slow_features() -> np.ndarray:
    """The regressors of Corsi's equation, one window at a time: a constant, and the roots of the mean squared returns."""
    rows = []
    for start in STARTS:
        close = CANDLES.columns.close[start : start + WINDOW]
        squares = [(100 * np.log(close[at] / close[at - 1])) ** 2 for at in range(1, WINDOW)]
        rows.append([1.0, *(np.sqrt(np.mean(squares[-span:])) for span in SPANS)])
    return np.array(rows)


def test_predicts_what_least_squares_on_features_made_by_hand_predict() -> None:
    observations = observations_at(CANDLES, STARTS, HORIZON)
    features = slow_features()
    np.testing.assert_allclose(observations.realised_volatility_pct, features[:, 1:], rtol=1e-6)
    solution = np.linalg.lstsq(features, observations.actual_pct, rcond=None)[0]
    found = HarModel.fit(observations.realised_volatility_pct, observations.actual_pct).predict(observations.realised_volatility_pct)
    np.testing.assert_allclose(found[:, :2], (features @ solution)[:, :2], rtol=1e-6)
    np.testing.assert_allclose(found[:, 2], observations.actual_pct[:, 2].mean())


def test_recovers_planted_coefficients() -> None:
    random = np.random.default_rng(1)
    volatility = random.lognormal(size=(5_000, 3))
    planted = np.array([[0.5, -0.4, 3.0], [1.0, -1.5, 3.0], [2.0, -1.0, 3.0]])
    targets = volatility @ planted + [0.1, -0.2, 0.0] + random.normal(scale=0.1, size=(5_000, 3))
    found = HarModel.fit(volatility, targets)
    np.testing.assert_allclose(found.coefficients[:, :2], planted[:, :2], atol=0.01)
    np.testing.assert_allclose(found.intercept_pct[:2], [0.1, -0.2], atol=0.01)
    assert found.coefficients[:, 2].tolist() == [0, 0, 0]


def test_constant_prices_have_no_volatility() -> None:
    found = HarModel.fit(np.zeros((50, 3)), np.ones((50, 3)))
    assert found.predict(np.zeros((1, 3)))[0] == pytest.approx([1.0, 1.0, 1.0])
