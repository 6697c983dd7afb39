"""A complete evaluation: predict, compare with what happened, score, and score the baselines."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.evaluation import boosted_trees
from coinfarm.evaluation.baselines import NaiveBaselines, RidgeRegression
from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, direction_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.evaluation_frames import FIT_STRIDE, EvaluationFrames, EvaluationSpec, digest, predict_frames
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import (
    daily_rank_correlations,
    deciles,
    line_through,
    output_scores,
    rounded,
    t_statistic,
)
from coinfarm.evaluation.ratio_interval import LEVEL, MIN_BLOCKS, SAMPLES, SEED
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models import evaluation_document
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.response import model_identity
from coinfarm.targets import flip_targets
from image_render.spec import STANDARD

_EPOCH = date(1970, 1, 1)


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
    observations, predicted, actual = frames.observations, frames.predicted_pct, frames.observations.actual_pct
    intervals = ScoreIntervals.of(observations.close_time, series[0].interval_ms, manifest.horizon_candles)
    overlap_ms = (STANDARD.window_candles + manifest.horizon_candles) * series[0].interval_ms
    baselines = baseline_predictions(observations, frames.fit_observations, overlap_ms)
    return evaluation_document.Evaluation(
        model=evaluation_document.EvaluatedModel(**model_identity(predictor.model)),
        from_date=spec.first_day,
        to_date=spec.stop_day,
        interval=series[0].interval,
        stride=spec.stride,
        horizon_candles=manifest.horizon_candles,
        candles={each.symbol: digest(spec.candles_of(each)) for each in series},
        candle_files=tuple(candle_files),
        includes_in_sample=spec.include_in_sample,
        frames=len(observations),
        counts=frames.counts,
        mean_absolute_end_change_pct=rounded(np.abs(end_change(actual)).mean()),
        outputs={name: _output(predicted[:, at], actual[:, at], observations, intervals) for at, name in enumerate(OUTPUT_NAMES)},
        direction=direction_accuracy(end_change(predicted), end_change(actual), observations, intervals),
        rise_over_decline=direction_accuracy(rise_over_decline(predicted), rise_over_decline(actual), observations, intervals),
        baselines={name: _baseline(predicted, baseline, actual, intervals) for name, baseline in baselines.items()},
        baseline_fit=None
        if frames.fit_observations is None
        else evaluation_document.BaselineFit(frames=len(frames.fit_observations), stride=FIT_STRIDE, before_ms=frames.fit_before_ms),
        bootstrap=evaluation_document.Bootstrap(
            level=LEVEL, samples=SAMPLES, block_candles=intervals.block_candles, seed=SEED, min_blocks=MIN_BLOCKS
        ),
    )


def baseline_predictions(observations: Observations, fit_observations: Observations | None, overlap_ms: int) -> dict[str, Values]:
    """The predictions of each baseline, `(n, 3)` in percent; only those that need no fit if there are no `fit_observations`.

    Windows with a candle in common close less than `overlap_ms` apart. There is no gradient boosting without scikit-learn.
    """
    predictions = {"zero": np.zeros(observations.actual_pct.shape)}
    if fit_observations is not None:
        naive = NaiveBaselines.fit(fit_observations.range_pct, fit_observations.actual_pct)
        predictions |= naive.predict(observations.range_pct)
        predictions["ridge"] = RidgeRegression.fit(fit_observations.features, fit_observations.actual_pct).predict(observations.features)
        if boosted_trees.is_installed():
            trees = boosted_trees.BoostedTrees.fit(fit_observations, overlap_ms)
            predictions["gradientBoosting"] = trees.predict(observations.features)
    # Prices that bounce between bid and ask come back, so the opposite move, whose rise is the decline, may be the better guess.
    return predictions | {"persistence": observations.persistence_pct, "reversal": flip_targets(observations.persistence_pct)}


def _output(predicted: Values, actual: Values, observations: Observations, intervals: ScoreIntervals) -> evaluation_document.OutputMetrics:
    unexplained = intervals.of_unexplained_share(predicted, actual)
    days = daily_rank_correlations(predicted, actual, observations.close_time)
    by_day = np.array([day.rank_correlation for day in days])
    line = line_through(predicted, actual)
    return evaluation_document.OutputMetrics(
        **output_scores(predicted, actual),
        r2_interval=None if unexplained.bounds is None else (rounded(1.0 - unexplained.bounds[1]), rounded(1.0 - unexplained.bounds[0])),
        effective_blocks=round(unexplained.effective_blocks, 1),
        daily_rank_correlation=evaluation_document.DailyRankCorrelation(
            mean=rounded(by_day.mean()) if len(days) else None,
            t_statistic=t_statistic(by_day),
            days=len(days),
            by_day={str(_EPOCH + timedelta(days=day.day)): day.rank_correlation for day in days},
        ),
        calibration=evaluation_document.Calibration(
            slope=None if line is None else line[0],
            intercept_pct=None if line is None else line[1],
            deciles=tuple(
                evaluation_document.Decile(
                    frames=len(part), predicted_pct=rounded(predicted[part].mean()), actual_pct=rounded(actual[part].mean())
                )
                for part in deciles(predicted)
            ),
        ),
    )


def _baseline(predicted: Values, baseline: Values, actual: Values, intervals: ScoreIntervals) -> evaluation_document.Baseline:
    outputs = {
        name: evaluation_document.BaselineOutput(
            **output_scores(baseline[:, at], actual[:, at]), **_error_reduction(predicted[:, at], baseline[:, at], actual[:, at], intervals)
        )
        for at, name in enumerate(OUTPUT_NAMES)
    }

    def accuracy(signed: "Callable[[Values], Values]") -> evaluation_document.BaselineAccuracy:
        model_signs = SignComparison.of(signed(predicted), signed(actual))
        return baseline_accuracy(model_signs, SignComparison.of(signed(baseline), signed(actual)), intervals)

    return evaluation_document.Baseline(outputs=outputs, direction=accuracy(end_change), rise_over_decline=accuracy(rise_over_decline))


def _error_reduction(
    predicted: Values, baseline: Values, actual: Values, intervals: ScoreIntervals
) -> "dict[str, float | evaluation_document.ConfidenceInterval | None]":
    """By how many percent the model's squared errors are smaller than the baseline's."""
    model_errors, baseline_errors = (actual - predicted) ** 2, (actual - baseline) ** 2
    if not baseline_errors.any():
        return {"model_error_reduction_pct": None, "model_error_reduction_interval_pct": None}
    ratio = intervals.of_squares(model_errors, baseline_errors)
    return {
        "model_error_reduction_pct": rounded(100.0 * (1.0 - model_errors.sum() / baseline_errors.sum())),
        "model_error_reduction_interval_pct": None
        if ratio is None
        else (rounded(100.0 * (1.0 - ratio[1])), rounded(100.0 * (1.0 - ratio[0]))),
    }
