"""A complete evaluation: predict, compare with what happened, score, and score the baselines."""

from collections.abc import Sequence

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.evaluation import boosted_trees
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.evaluation.block_skill import block_skill, range_multiples
from coinfarm.evaluation.coin_scores import coin_scores
from coinfarm.evaluation.direction import direction_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.error_bands import error_quantiles
from coinfarm.evaluation.evaluation_frames import FIT_STRIDE, EvaluationFrames, EvaluationSpec, digest, predict_frames
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.fitted_baselines import FittedBaselines, unfitted_baselines
from coinfarm.evaluation.metrics import rounded
from coinfarm.evaluation.output_metrics import baseline_metrics, output_metrics
from coinfarm.evaluation.ratio_interval import LEVEL, MIN_BLOCKS, SAMPLES, SEED
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models import evaluation_document
from coinfarm.models.live_reference import LiveReference
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.response import model_identity
from image_render.spec import STANDARD


def evaluate(
    predictor: Predictor,
    series: Sequence[Candles],
    spec: EvaluationSpec,
    *,
    baseline_series: Sequence[Candles] = (),
    candle_files: Sequence[str] = (),
) -> evaluation_document.Evaluation:
    """Evaluate the predictor's model on one series per symbol, all of the same interval.

    Raises `CoinfarmError` if there is nothing to evaluate, and what the predictor raises.
    """
    return score_frames(predict_frames(predictor, series, spec, baseline_series), predictor, series, spec, candle_files)


def score_frames(
    frames: EvaluationFrames, predictor: Predictor, series: Sequence[Candles], spec: EvaluationSpec, candle_files: Sequence[str] = ()
) -> evaluation_document.Evaluation:
    """All scores of the predictions in `frames`, and of the baselines on the same frames."""
    manifest = predictor.model.bundle.manifest
    horizon_candles = spec.horizon_of(manifest)
    observations, predicted, actual = frames.observations, frames.predicted_pct, frames.observations.actual_pct
    close_time = observations.close_time
    intervals = ScoreIntervals.of(close_time, series[0].interval_ms, horizon_candles)
    overlap_ms = (STANDARD.window_candles + horizon_candles) * series[0].interval_ms
    baselines = baseline_predictions(observations, frames.fit_observations, overlap_ms)
    return evaluation_document.Evaluation(
        model=evaluation_document.EvaluatedModel(**model_identity(predictor.model)),
        from_date=spec.first_day,
        to_date=spec.stop_day,
        interval=series[0].interval,
        is_trained_interval=None if manifest.training is None else series[0].interval in manifest.training.intervals,
        stride=spec.stride,
        horizon_candles=horizon_candles,
        candles={each.symbol: digest(spec.candles_of(each)) for each in series},
        candle_files=tuple(candle_files),
        includes_in_sample=spec.include_in_sample,
        frames=len(observations),
        counts=frames.counts,
        mean_absolute_end_change_pct=rounded(np.abs(end_change(actual)).mean()),
        outputs={name: output_metrics(predicted[:, at], actual[:, at], close_time, intervals) for at, name in enumerate(OUTPUT_NAMES)},
        direction=direction_accuracy(end_change(predicted), end_change(actual), observations, intervals),
        rise_over_decline=direction_accuracy(rise_over_decline(predicted), rise_over_decline(actual), observations, intervals),
        baselines={name: baseline_metrics(predicted, baseline, actual, intervals) for name, baseline in baselines.items()},
        by_coin=coin_scores(observations, predicted, baselines, series[0].interval_ms, horizon_candles),
        baseline_fit=None
        if frames.fit_observations is None
        else evaluation_document.BaselineFit(frames=len(frames.fit_observations), stride=FIT_STRIDE, before_ms=frames.fit_before_ms),
        bootstrap=evaluation_document.Bootstrap(
            level=LEVEL, samples=SAMPLES, block_candles=intervals.block_candles, seed=SEED, min_blocks=MIN_BLOCKS
        ),
        live_reference=live_reference(frames, series[0].interval_ms, horizon_candles, spec.stride),
    )


def baseline_predictions(observations: Observations, fit_observations: Observations | None, overlap_ms: int) -> dict[str, Values]:
    """The predictions of each baseline, `(n, 3)` in percent; only those that need no fit if there are no `fit_observations`.

    Windows with a candle in common close less than `overlap_ms` apart. There is no gradient boosting without scikit-learn.
    """
    predictions = unfitted_baselines(observations)
    if fit_observations is not None:
        predictions |= FittedBaselines.fit(fit_observations).predict(observations)
        if boosted_trees.is_installed():
            trees = boosted_trees.BoostedTrees.fit(fit_observations, overlap_ms)
            predictions["gradientBoosting"] = trees.predict(observations.features)
    return {name: predictions[name] for name in BASELINE_TITLES if name in predictions}


def live_reference(frames: EvaluationFrames, interval_ms: int, horizon_candles: int, stride: int) -> LiveReference:
    """What predictions made live will be compared with."""
    observations, predicted = frames.observations, frames.predicted_pct
    multiples = range_multiples(observations)
    skill = block_skill(observations, predicted, multiples, interval_ms, horizon_candles, stride)
    return LiveReference(
        baselines=None if frames.fit_observations is None else FittedBaselines.fit(frames.fit_observations).to_record(),
        error_quantiles={
            name: tuple(rounded(each) for each in quantiles)
            for name, quantiles in zip(OUTPUT_NAMES, error_quantiles(predicted, observations.actual_pct), strict=True)
        },
        skill=skill.to_record(multiples),
    )
