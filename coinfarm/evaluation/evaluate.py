"""A whole evaluation: predict, look up what happened, measure, beside the baselines."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.evaluation.baselines import NaiveBaselines, RidgeRegression
from coinfarm.evaluation.direction import SignComparison, baseline_accuracy, direction_accuracy, end_change, rise_over_decline
from coinfarm.evaluation.evaluation_frames import FIT_STRIDE, EvaluationFrames, EvaluationSpec, digest, predict_frames
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import (
    daily_rank_correlations,
    deciles,
    line_through,
    mean_absolute_error,
    r2,
    rank_correlation,
    rounded,
    t_statistic,
)
from coinfarm.evaluation.score_intervals import LEVEL, SAMPLES, SEED, BlockBootstrap
from coinfarm.labels import flip_targets
from coinfarm.models import evaluation_document
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.response import model_identity

_EPOCH = date(1970, 1, 1)


def evaluate(
    predictor: Predictor,
    coins: Sequence[Candles],
    terms: EvaluationSpec,
    *,
    baseline_coins: Sequence[Candles] = (),
    candle_files: Sequence[str] = (),
) -> evaluation_document.Evaluation:
    """What the predictor's model is worth on the coins (one series each, of one interval), on the terms.

    Raises `CoinfarmError` where nothing is left to judge, and what the predictor raises.
    """
    return evaluation_of(predict_frames(predictor, coins, terms, baseline_coins), predictor, coins, terms, candle_files)


def evaluation_of(
    judged: EvaluationFrames, predictor: Predictor, coins: Sequence[Candles], terms: EvaluationSpec, candle_files: Sequence[str] = ()
) -> evaluation_document.Evaluation:
    """All that is measured of what was judged."""
    manifest = predictor.model.bundle.manifest
    rows, predicted = judged.rows, judged.predicted_pct
    chance = BlockBootstrap.of(rows.close_time, coins[0].interval_ms, terms.stride, manifest.horizon_candles)
    return evaluation_document.Evaluation(
        model=evaluation_document.EvaluatedModel(**model_identity(predictor.model)),
        from_date=terms.start,
        to_date=terms.stop,
        interval=coins[0].interval,
        stride=terms.stride,
        horizon_candles=manifest.horizon_candles,
        candles={coin.symbol: digest(terms.of(coin)) for coin in coins},
        candle_files=tuple(candle_files),
        includes_in_sample=terms.include_in_sample,
        frames=len(rows),
        counts=judged.counts,
        mean_absolute_end_change_pct=rounded(np.abs(end_change(rows.actual_pct)).mean()),
        outputs={name: _output(predicted[:, at], rows.actual_pct[:, at], rows, chance) for at, name in enumerate(OUTPUT_NAMES)},
        direction=direction_accuracy(end_change(predicted), end_change(rows.actual_pct), rows, chance),
        rise_over_decline=direction_accuracy(rise_over_decline(predicted), rise_over_decline(rows.actual_pct), rows, chance),
        baselines={
            name: _baseline(predicted, baseline, rows.actual_pct, chance) for name, baseline in baselines(rows, judged.fit_rows).items()
        },
        baseline_fit=None
        if judged.fit_rows is None
        else evaluation_document.BaselineFit(frames=len(judged.fit_rows), stride=FIT_STRIDE, before_ms=judged.fit_before_ms),
        bootstrap=evaluation_document.Bootstrap(level=LEVEL, samples=SAMPLES, block_candles=chance.block_candles, seed=SEED),
    )


def baselines(rows: Observations, fit_rows: Observations | None) -> dict[str, Values]:
    """What each baseline foretells of the rows, `(n, 3)` in percent; without rows to learn from only those that need none."""
    told = {"zero": np.zeros(rows.actual_pct.shape)}
    if fit_rows is not None:
        told |= NaiveBaselines.fit(fit_rows.range_pct, fit_rows.actual_pct).predict(rows.range_pct)
        told["ridge"] = RidgeRegression.fit(fit_rows.features, fit_rows.actual_pct).predict(rows.features)
    # Upside down a decline is a rise: prices that bounce between bid and ask come back, so the opposite may be the better guess.
    return told | {"persistence": rows.persistence_pct, "reversal": flip_targets(rows.persistence_pct)}


def _output(predicted: Values, actual: Values, rows: Observations, chance: BlockBootstrap) -> evaluation_document.OutputMetrics:
    unexplained = (actual - predicted) ** 2
    (share,) = chance.shares([unexplained], [(actual - actual.mean()) ** 2])
    days = daily_rank_correlations(predicted, actual, rows.close_time)
    by_day = np.array([day.rank_correlation for day in days])
    line = line_through(predicted, actual)
    return evaluation_document.OutputMetrics(
        **_scores(predicted, actual),
        r2_interval=None if share is None else (rounded(1.0 - share[1]), rounded(1.0 - share[0])),
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


def _baseline(predicted: Values, baseline: Values, actual: Values, chance: BlockBootstrap) -> evaluation_document.Baseline:
    outputs = {
        name: evaluation_document.BaselineOutput(
            **_scores(baseline[:, at], actual[:, at]), **_reduction(predicted[:, at], baseline[:, at], actual[:, at], chance)
        )
        for at, name in enumerate(OUTPUT_NAMES)
    }

    def beside(of: "Callable[[Values], Values]") -> evaluation_document.BaselineAccuracy:
        return baseline_accuracy(SignComparison.of(of(predicted), of(actual)), SignComparison.of(of(baseline), of(actual)), chance)

    return evaluation_document.Baseline(outputs=outputs, direction=beside(end_change), rise_over_decline=beside(rise_over_decline))


def _scores(predicted: Values, actual: Values) -> "dict[str, float | None]":
    return {
        "r2": r2(predicted, actual),
        "mean_absolute_error_pct": mean_absolute_error(predicted, actual),
        "rank_correlation": rank_correlation(predicted, actual),
    }


def _reduction(
    predicted: Values, baseline: Values, actual: Values, chance: BlockBootstrap
) -> "dict[str, float | evaluation_document.Interval | None]":
    """By how many percent the model's squared errors are smaller."""
    ours, theirs = (actual - predicted) ** 2, (actual - baseline) ** 2
    if not theirs.any():
        return {"model_error_reduction_pct": None, "model_error_reduction_interval_pct": None}
    (share,) = chance.shares([ours], [theirs])
    return {
        "model_error_reduction_pct": rounded(100.0 * (1.0 - ours.sum() / theirs.sum())),
        "model_error_reduction_interval_pct": None
        if share is None
        else (rounded(100.0 * (1.0 - share[1])), rounded(100.0 * (1.0 - share[0]))),
    }
