import numpy as np
import pytest
from scipy.stats import linregress, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from coinfarm.evaluation.features import Observations
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.scorecard.live_scores import evaluated_scores_of, evaluated_scores_together, live_scores
from tests.support.live_predictions import evaluation_with_reference

RANDOM = np.random.default_rng(3)
COUNT = 40 * 96
ACTUAL = RANDOM.standard_t(4, size=(COUNT, 3)) * [1.0, 1.0, 2.0] + [1.0, -1.0, 0.0]
PREDICTED = 0.3 * ACTUAL + RANDOM.normal(size=(COUNT, 3))
OBSERVATIONS = Observations(
    symbols=np.full(COUNT, "DEMO1"),
    close_time=np.arange(COUNT) * 900_000,
    features=np.ones((COUNT, 9)),
    realised_volatility_pct=np.ones((COUNT, 3)),
    persistence_pct=np.zeros((COUNT, 3)),
    actual_pct=ACTUAL,
)
QUANTILES = np.tile([-1.0, 0.0, 1.0], (3, 1))


def test_scores_are_those_of_scikit_learn_and_scipy():
    scores = live_scores(OBSERVATIONS, PREDICTED, {"zero": np.zeros(ACTUAL.shape)}, QUANTILES, 900_000, 30)
    for at, name in enumerate(OUTPUT_NAMES):
        output, predicted, actual = scores.outputs[name], PREDICTED[:, at], ACTUAL[:, at]
        assert output.r2 == pytest.approx(r2_score(actual, predicted), abs=1e-5)
        assert output.rank_correlation == pytest.approx(spearmanr(actual, predicted).statistic, abs=1e-5)
        assert output.mean_absolute_error_pct == pytest.approx(mean_absolute_error(actual, predicted), abs=1e-5)
        assert (output.slope, output.intercept_pct) == pytest.approx(linregress(predicted, actual)[:2], abs=1e-5)
        scale = np.maximum(PREDICTED[:, 0] - PREDICTED[:, 1], 0.01)
        assert output.coverage_pct == pytest.approx(100 * np.mean(np.abs(actual - predicted) <= scale), abs=1e-5)
        assert scores.baselines["zero"].outputs[name].r2 == pytest.approx(r2_score(actual, np.zeros(COUNT)), abs=1e-5)
        assert output.r2_interval[0] < output.r2 < output.r2_interval[1]
        assert output.coverage_interval_pct[0] < output.coverage_pct < output.coverage_interval_pct[1]
    assert scores.direction.right_pct == pytest.approx(100 * np.mean(np.sign(PREDICTED[:, 2]) == np.sign(ACTUAL[:, 2])))
    assert scores.baselines["zero"].direction.right_pct is None


def test_few_predictions_have_no_interval_and_no_nan():
    few = OBSERVATIONS.rows(np.arange(COUNT) < 2)
    scores = live_scores(few, PREDICTED[:2], {}, None, 900_000, 30)
    assert (scores.frames, scores.outputs["maxRisePct"].r2_interval, scores.outputs["maxRisePct"].coverage_pct) == (2, None, None)
    one = live_scores(OBSERVATIONS.rows(np.arange(COUNT) < 1), PREDICTED[:1], {"zero": np.zeros((1, 3))}, QUANTILES, 900_000, 30)
    assert one.outputs["maxRisePct"].r2 is None
    one.model_dump_json()


def test_scores_of_the_evaluation_are_those_of_its_record():
    coin = {"frames": 5, "outputs": {name: {"r2": 0.3, "slope": 0.9} for name in OUTPUT_NAMES}}
    record = evaluation_with_reference([0.1] * 20, byCoin={"BTCUSD": coin}, direction={"byCoin": {"BTCUSD": {"frames": 5, "rightPct": 51}}})
    together = evaluated_scores_together(record)
    assert (together.frames, together.outputs["maxRisePct"].r2, together.outputs["maxRisePct"].coverage_pct) == (26_174, 0.1, 80)
    of_coin = evaluated_scores_of(record, "BTCUSDT")
    assert of_coin is not None
    assert (of_coin.frames, of_coin.outputs["endChangePct"].slope, of_coin.direction.right_pct) == (5, 0.9, 51)
    assert evaluated_scores_of(record, "ETHUSDT") is None
