"""The scores of live predictions, and the same of an evaluation, in one form."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.symbol import same_coin
from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, end_change, overall_accuracy
from coinfarm.evaluation.error_bands import BAND_PCT, within_bands
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import deciles, line_through, output_scores, rounded
from coinfarm.evaluation.output_metrics import baseline_outputs, r2_interval, slope_interval
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluation_scores import Accuracy, Decile
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.scorecard.scorecard_document import ScoredBaseline, ScoredOutput, Scores


def live_scores(
    observations: Observations,
    predicted_pct: Values,
    baselines: dict[str, Values],
    quantiles: Values | None,
    interval_ms: int,
    horizon_candles: int,
) -> Scores:
    """The scores of predictions `(n, 3)` and of baselines; `quantiles` `(3, 3)` are those of `error_bands`, None if unknown."""
    actual = observations.actual_pct
    intervals = ScoreIntervals.of(observations.close_time, interval_ms, horizon_candles)
    inside = None if quantiles is None else within_bands(predicted_pct, actual, quantiles)
    signs = SignComparison.of(end_change(predicted_pct), end_change(actual))
    return Scores(
        frames=len(actual),
        outputs={
            name: _output(predicted_pct[:, at], actual[:, at], None if inside is None else inside[:, at], intervals)
            for at, name in enumerate(OUTPUT_NAMES)
        },
        direction=overall_accuracy(end_change(predicted_pct), end_change(actual), intervals),
        baselines={
            name: ScoredBaseline(
                outputs=baseline_outputs(predicted_pct, values, actual, intervals),
                direction=baseline_accuracy(signs, SignComparison.of(end_change(values), end_change(actual)), intervals)
                if signs.counted.any()
                else None,
            )
            for name, values in baselines.items()
        },
    )


def evaluated_scores_together(record: EvaluationRecord) -> Scores:
    """The scores of all coins of an evaluation."""
    return Scores(
        frames=record.frames,
        outputs={
            name: ScoredOutput(
                r2=output.r2,
                mean_absolute_error_pct=output.mean_absolute_error_pct,
                rank_correlation=output.rank_correlation,
                r2_interval=output.r2_interval,
                slope=output.calibration.slope,
                slope_interval=output.calibration.slope_interval,
                intercept_pct=output.calibration.intercept_pct,
                coverage_pct=_nominal(record),
                deciles=output.calibration.deciles,
            )
            for name, output in record.outputs.items()
        },
        direction=record.direction.overall,
        baselines={name: ScoredBaseline(outputs=each.outputs, direction=each.direction) for name, each in record.baselines.items()},
    )


def evaluated_scores_of(record: EvaluationRecord, symbol: str) -> Scores | None:
    """The scores of one coin in an evaluation, under any of its symbols; None if it was not evaluated."""
    name = next((each for each in record.by_coin if same_coin(each, symbol)), None)
    if name is None:
        return None
    coin = record.by_coin[name]
    return Scores(
        frames=coin.frames,
        outputs={output: ScoredOutput(**dict(scores), coverage_pct=_nominal(record)) for output, scores in coin.outputs.items()},
        direction=record.direction.by_coin.get(name, Accuracy()),
        baselines={baseline: ScoredBaseline(outputs=outputs) for baseline, outputs in coin.baselines.items()},
    )


def _nominal(record: EvaluationRecord) -> float | None:
    """Of the band, which was made from the errors of the evaluation."""
    return None if record.live_reference is None else BAND_PCT


def _output(predicted: Values, actual: Values, inside: NDArray[np.bool_] | None, intervals: ScoreIntervals) -> ScoredOutput:
    slope, intercept = line_through(predicted, actual) or (None, None)
    covered = None if inside is None else intervals.of_counts([inside], [np.ones(len(inside))])[0]
    return ScoredOutput(
        **output_scores(predicted, actual),
        r2_interval=r2_interval(intervals.of_unexplained_share(predicted, actual)),
        slope=slope,
        slope_interval=slope_interval(predicted, actual, intervals),
        intercept_pct=intercept,
        coverage_pct=None if inside is None else rounded(100.0 * inside.mean()),
        coverage_interval_pct=None if covered is None else (rounded(100.0 * covered[0]), rounded(100.0 * covered[1])),
        deciles=tuple(
            Decile(frames=len(part), predicted_pct=rounded(predicted[part].mean()), actual_pct=rounded(actual[part].mean()))
            for part in deciles(predicted)
        ),
    )
