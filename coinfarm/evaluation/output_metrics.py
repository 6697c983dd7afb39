"""The scores of the model's outputs and of a baseline's, on the same frames."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from coinfarm.candles.arrays import Times, Values
from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.metrics import daily_rank_correlations, deciles, line_through, output_scores, rounded, t_statistic
from coinfarm.evaluation.ratio_interval import RatioInterval
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models.evaluation_scores import (
    Baseline,
    BaselineAccuracy,
    BaselineOutput,
    Calibration,
    ConfidenceInterval,
    DailyRankCorrelation,
    Decile,
    OutputMetrics,
)
from coinfarm.outputs import OUTPUT_NAMES

_EPOCH = date(1970, 1, 1)


def output_metrics(predicted: Values, actual: Values, close_time: Times, intervals: ScoreIntervals) -> OutputMetrics:
    """All scores of one output of the model, `(n,)` in percent, for frames that close at `close_time` `(n,)`."""
    unexplained = intervals.of_unexplained_share(predicted, actual)
    days = daily_rank_correlations(predicted, actual, close_time)
    by_day = np.array([day.rank_correlation for day in days])
    slope, intercept = line_through(predicted, actual) or (None, None)
    return OutputMetrics(
        **output_scores(predicted, actual),
        r2_interval=r2_interval(unexplained),
        effective_blocks=round(unexplained.effective_blocks, 1),
        daily_rank_correlation=DailyRankCorrelation(
            mean=rounded(by_day.mean()) if len(days) else None,
            t_statistic=t_statistic(by_day),
            days=len(days),
            by_day={str(_EPOCH + timedelta(days=day.day)): day.rank_correlation for day in days},
        ),
        calibration=Calibration(
            slope=slope,
            slope_interval=slope_interval(predicted, actual, intervals),
            intercept_pct=intercept,
            deciles=tuple(
                Decile(frames=len(part), predicted_pct=rounded(predicted[part].mean()), actual_pct=rounded(actual[part].mean()))
                for part in deciles(predicted)
            ),
        ),
    )


def r2_interval(unexplained: RatioInterval) -> ConfidenceInterval | None:
    """The interval of R², from that of 1 − R²."""
    bounds = unexplained.bounds
    return None if bounds is None else (rounded(1.0 - bounds[1]), rounded(1.0 - bounds[0]))


def slope_interval(predicted: Values, actual: Values, intervals: ScoreIntervals) -> ConfidenceInterval | None:
    """The interval of the slope of actual over predicted values."""
    bounds = intervals.of_slope(predicted, actual).bounds
    return None if bounds is None else (rounded(bounds[0]), rounded(bounds[1]))


def baseline_metrics(predicted: Values, baseline: Values, actual: Values, intervals: ScoreIntervals) -> Baseline:
    """The scores of a baseline `(n, 3)`, and how much better the model's predictions `(n, 3)` are."""

    def accuracy(signed: Callable[[Values], Values]) -> BaselineAccuracy:
        model_signs = SignComparison.of(signed(predicted), signed(actual))
        return baseline_accuracy(model_signs, SignComparison.of(signed(baseline), signed(actual)), intervals)

    return Baseline(
        outputs=baseline_outputs(predicted, baseline, actual, intervals),
        direction=accuracy(end_change),
        rise_over_decline=accuracy(rise_over_decline),
    )


def baseline_outputs(predicted: Values, baseline: Values, actual: Values, intervals: ScoreIntervals) -> dict[str, BaselineOutput]:
    """The scores of each output of a baseline, and by how many percent the model's squared errors are smaller, frame by frame."""
    found = {}
    for name, model, other, happened in zip(OUTPUT_NAMES, predicted.T, baseline.T, actual.T, strict=True):
        reduction, bounds = _error_reduction(model, other, happened, intervals)
        found[name] = BaselineOutput(
            **output_scores(other, happened), model_error_reduction_pct=reduction, model_error_reduction_interval_pct=bounds
        )
    return found


def _error_reduction(
    predicted: Values, baseline: Values, actual: Values, intervals: ScoreIntervals
) -> tuple[float | None, ConfidenceInterval | None]:
    model_errors, baseline_errors = (actual - predicted) ** 2, (actual - baseline) ** 2
    if not baseline_errors.any():
        return None, None
    ratio = intervals.of_squares(model_errors, baseline_errors)
    reduction = rounded(100.0 * (1.0 - model_errors.sum() / baseline_errors.sum()))
    return reduction, None if ratio is None else (rounded(100.0 * (1.0 - ratio[1])), rounded(100.0 * (1.0 - ratio[0])))
