import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from coinfarm.evaluation.block_skill import block_skill
from coinfarm.evaluation.evaluate import baseline_predictions, evaluate, score_frames
from coinfarm.evaluation.evaluation_frames import EvaluationFrames, EvaluationSpec, digest, predict_frames
from coinfarm.evaluation.findings import summary
from coinfarm.evaluation.fitted_baselines import FittedBaselines
from coinfarm.evaluation.metrics import r2
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from image_render.windows import Columns
from tests.support.evaluated_models import ChecksumEngine, predictor_of
from tests.support.synthetic_candles import START_MS

DAY_MS = 86_400_000
CUTOFF_DAY = 182
OVERLAP_MS = 230 * 3_600_000
SPEC = EvaluationSpec(date(2020, 7, 1), date(2021, 1, 1), stride=2)


@pytest.fixture(scope="module")
def coins() -> list[Candles]:
    """A year of hours of two synthetic coins, whose volatility is clustered like that of real ones."""
    return [generate(symbol, "1h", START_MS, 366 * 24, seed=1) for symbol in ("DEMO1", "DEMO2")]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    cutoff = START_MS + CUTOFF_DAY * DAY_MS
    return predictor_of(tmp_path_factory.mktemp("model") / "bundle", ChecksumEngine(), {"DEMO1": cutoff, "DEMO2": cutoff})


@pytest.fixture(scope="module")
def frames(predictor: Predictor, coins: list[Candles]) -> EvaluationFrames:
    return predict_frames(predictor, coins, SPEC)


@pytest.fixture(scope="module")
def evaluation(frames: EvaluationFrames, predictor: Predictor, coins: list[Candles]) -> Evaluation:
    return score_frames(frames, predictor, coins, SPEC, ["DEMO1-1h.parquet", "DEMO2-1h.parquet"])


def test_a_document_describes_the_data_and_the_method(evaluation: Evaluation, coins: list[Candles], frames: EvaluationFrames) -> None:
    document = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert (document["from"], document["to"], document["stride"], document["interval"]) == ("2020-07-01", "2021-01-01", 2, "1h")
    assert document["model"] == {"name": "fake", "version": evaluation.model.version, "engine": "checksums"}
    assert document["candles"] == {coin.symbol: digest(SPEC.candles_of(coin)) for coin in coins}
    assert document["frames"] == document["counts"]["judged"] == len(frames.observations)
    assert set(document["baselines"]) == {
        "zero",
        "trainingMean",
        "constantTimesRange",
        "har",
        "ridge",
        "gradientBoosting",
        "persistence",
        "reversal",
    }
    assert Evaluation.model_validate(document) == evaluation


def test_a_coin_has_the_scores_of_its_frames_alone(evaluation: Evaluation, frames: EvaluationFrames, predictor: Predictor) -> None:
    """The baselines are those of all coins, so only the model's scores are those of an evaluation of one coin."""
    assert list(evaluation.by_coin) == ["DEMO1", "DEMO2"]
    assert sum(scores.frames for scores in evaluation.by_coin.values()) == evaluation.frames
    here = frames.observations.symbols == "DEMO2"
    predicted, actual = frames.predicted_pct[here], frames.observations.actual_pct[here]
    scores = evaluation.by_coin["DEMO2"]
    for at, name in enumerate(OUTPUT_NAMES):
        output = scores.outputs[name]
        assert output.r2 == r2(predicted[:, at], actual[:, at])
        assert output.slope == pytest.approx(np.polyfit(predicted[:, at], actual[:, at], 1)[0], abs=1e-5)
        assert output.slope_interval is not None
        assert output.slope_interval[0] < output.slope < output.slope_interval[1]
    trees = baseline_predictions(frames.observations, frames.fit_observations, OVERLAP_MS)["gradientBoosting"][here]
    ratio = ((predicted - actual) ** 2).sum(axis=0) / ((trees - actual) ** 2).sum(axis=0)
    changes = [scores.baselines["gradientBoosting"][name].error_change_pct[0] for name in OUTPUT_NAMES]
    assert changes == pytest.approx(100 * (ratio - 1), abs=1e-4)


def test_live_predictions_will_be_compared_with_the_same_baselines_and_skill(evaluation: Evaluation, frames: EvaluationFrames) -> None:
    reference = evaluation.live_reference
    assert reference is not None
    assert reference.baselines is not None
    stored = FittedBaselines.from_record(reference.baselines).predict(frames.observations)
    expected = baseline_predictions(frames.observations, frames.fit_observations, OVERLAP_MS)
    assert all(np.array_equal(values, expected[name]) for name, values in stored.items())
    assert set(expected) - set(stored) == {"zero", "persistence", "reversal", "gradientBoosting"}
    skill = block_skill(frames.observations, frames.predicted_pct, np.array(reference.skill.range_multiples), 3_600_000, 30, SPEC.stride)
    for symbol, scores in skill.by_coin.items():
        np.testing.assert_allclose(np.array(reference.skill.by_coin[symbol], np.float64), scores, atol=1e-5)
    assert reference.skill.first_block == skill.first_block


@pytest.mark.parametrize(("interval", "is_trained"), [("1h", True), ("30m", False)])
def test_an_interval_that_was_not_trained_is_marked(predictor: Predictor, interval: str, is_trained: bool) -> None:
    candles = generate("DEMO1", interval, START_MS, 60 * 48, seed=1)
    found = evaluate(predictor, [candles], EvaluationSpec(date(2020, 1, 5), date(2020, 2, 20), stride=5, include_in_sample=True))
    assert found.is_trained_interval is is_trained
    assert (found.interval_title == interval) is is_trained


def test_an_evaluation_is_reproducible(evaluation: Evaluation, predictor: Predictor, coins: list[Candles]) -> None:
    assert evaluate(predictor, coins, SPEC, candle_files=evaluation.candle_files) == evaluation


def test_a_model_without_skill_scores_nothing(evaluation: Evaluation) -> None:
    """Its predictions are checksums of the frames."""
    assert all(metrics.r2 is not None and metrics.r2 < 0 for metrics in evaluation.outputs.values())
    assert all(abs(metrics.rank_correlation or 0) < 0.05 for metrics in evaluation.outputs.values())
    assert evaluation.direction.overall.right_pct == pytest.approx(50, abs=3)


def test_a_perfect_model_scores_everything(frames: EvaluationFrames, predictor: Predictor, coins: list[Candles]) -> None:
    truth = score_frames(replace(frames, predicted_pct=frames.observations.actual_pct), predictor, coins, SPEC)
    assert [metrics.r2 for metrics in truth.outputs.values()] == [1, 1, 1]
    assert [metrics.r2_interval for metrics in truth.outputs.values()] == [(1, 1)] * 3
    assert [(metrics.calibration.slope, metrics.calibration.intercept_pct) for metrics in truth.outputs.values()] == [(1, 0)] * 3
    assert (truth.direction.overall.right_pct, truth.rise_over_decline.overall.right_pct) == (100, 100)
    assert truth.baselines["ridge"].outputs["maxRisePct"].model_error_reduction_pct == 100
    assert truth.outputs["endChangePct"].daily_rank_correlation.mean == 1


def test_shuffled_labels_remove_all_skill(frames: EvaluationFrames, predictor: Predictor, coins: list[Candles]) -> None:
    """Skill that remained would be look-ahead: knowledge of the labels that does not come from the windows."""
    skilled = baseline_predictions(frames.observations, frames.fit_observations, OVERLAP_MS)["ridge"]
    skilled[:, 2] = frames.observations.actual_pct[:, 2] + np.random.default_rng(1).normal(scale=5.0, size=len(skilled))
    predicted = replace(frames, predicted_pct=skilled)
    before = score_frames(predicted, predictor, coins, SPEC)
    shuffled = np.random.default_rng(0).permutation(len(frames.observations))
    observations = replace(frames.observations, actual_pct=frames.observations.actual_pct[shuffled])
    after = score_frames(replace(predicted, observations=observations), predictor, coins, SPEC)

    for name in OUTPUT_NAMES:
        assert (before.outputs[name].rank_correlation or 0) > 0.2
        assert abs(after.outputs[name].rank_correlation or 0) < 0.05
        assert abs(after.outputs[name].daily_rank_correlation.t_statistic or 0) < 4
        assert (after.outputs[name].r2 or 0) < 0.002
    assert (before.direction.overall.right_pct or 0) > 60
    assert abs((after.direction.overall.right_pct or 0) - 50) < 2.5


def test_the_models_of_the_features_are_the_best_baselines(evaluation: Evaluation) -> None:
    """On clustered volatility they must beat the simple baselines: otherwise beating them would prove nothing."""
    r2 = {name: baseline.outputs["maxRisePct"].r2 or 0 for name, baseline in evaluation.baselines.items()}
    fitted = {r2.pop(name) for name in ("har", "ridge", "gradientBoosting")}
    assert min(fitted) > max(0.05, *r2.values())


def test_without_scikit_learn_only_its_baseline_is_left_out(
    evaluation: Evaluation, predictor: Predictor, coins: list[Candles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinfarm.evaluation.boosted_trees.is_installed", lambda: False)
    found = evaluate(predictor, coins, SPEC, candle_files=evaluation.candle_files)
    assert found.baselines == {name: scores for name, scores in evaluation.baselines.items() if name != "gradientBoosting"}
    assert any("coinfarm[evaluate]" in reason for reason in summary(found).reasons)
    assert not any("coinfarm[evaluate]" in reason for reason in summary(evaluation).reasons)


def test_reversal_is_the_mirrored_persistence(frames: EvaluationFrames) -> None:
    predictions = baseline_predictions(frames.observations, None, OVERLAP_MS)
    assert set(predictions) == {"zero", "persistence", "reversal"}
    np.testing.assert_array_equal(predictions["reversal"], -predictions["persistence"][:, [1, 0, 2]])


def test_without_candles_to_fit_on_there_are_no_fitted_baselines(predictor: Predictor, coins: list[Candles]) -> None:
    late = [coin.between(START_MS + CUTOFF_DAY * DAY_MS, None) for coin in coins]
    found = evaluate(predictor, late, SPEC)
    assert found.baseline_fit is None
    assert set(found.baselines) == {"zero", "persistence", "reversal"}


def test_a_constant_price_has_no_scores_and_no_nan(predictor: Predictor) -> None:
    price = np.full(60 * 24, 7.0)
    constant = Candles.checked("DEMO1", "1h", START_MS + np.arange(60 * 24) * 3_600_000, Columns(*[price] * 5))
    found = evaluate(predictor, [constant], EvaluationSpec(date(2020, 1, 10), date(2020, 2, 29), include_in_sample=True))
    document: dict[str, Any] = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["outputs"]["maxRisePct"]["r2"] is None
    assert document["outputs"]["maxRisePct"]["rankCorrelation"] is None
    assert document["outputs"]["maxRisePct"]["dailyRankCorrelation"] == {"mean": None, "tStatistic": None, "days": 0, "byDay": {}}
    assert document["direction"]["overall"] == {"frames": 0, "rightPct": None, "intervalPct": None}
    assert document["baselines"]["zero"]["outputs"]["endChangePct"]["modelErrorReductionPct"] is None
