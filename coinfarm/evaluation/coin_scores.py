"""The scores of a model and its baselines on the frames of each coin."""

from collections.abc import Mapping

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import line_through, output_scores
from coinfarm.evaluation.output_metrics import baseline_outputs, r2_interval, slope_interval
from coinfarm.evaluation.score_intervals import ScoreIntervals
from coinfarm.models.evaluation_scores import CoinOutput, CoinScores
from coinfarm.outputs import OUTPUT_NAMES


def coin_scores(
    observations: Observations, predicted_pct: Values, baselines: Mapping[str, Values], interval_ms: int, horizon_candles: int
) -> dict[str, CoinScores]:
    """The scores by symbol, of predictions `(n, 3)` of the model and of each baseline."""
    found = {}
    for symbol in dict.fromkeys(observations.symbols.tolist()):
        here = observations.symbols == symbol
        intervals = ScoreIntervals.of(observations.close_time[here], interval_ms, horizon_candles)
        predicted, actual = predicted_pct[here], observations.actual_pct[here]
        found[symbol] = CoinScores(
            frames=int(np.count_nonzero(here)),
            outputs={
                name: _output(one, happened, intervals) for name, one, happened in zip(OUTPUT_NAMES, predicted.T, actual.T, strict=True)
            },
            baselines={name: baseline_outputs(predicted, values[here], actual, intervals) for name, values in baselines.items()},
        )
    return found


def _output(predicted: Values, actual: Values, intervals: ScoreIntervals) -> CoinOutput:
    slope, intercept = line_through(predicted, actual) or (None, None)
    return CoinOutput(
        **output_scores(predicted, actual),
        r2_interval=r2_interval(intervals.of_unexplained_share(predicted, actual)),
        slope=slope,
        slope_interval=slope_interval(predicted, actual, intervals),
        intercept_pct=intercept,
    )
