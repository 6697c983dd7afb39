"""Live scores against evaluated ones, looked at after every block of days."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.scorecard.confidence_sequences import (
    ALARM_E_VALUE,
    confidence_sequence,
    half_width,
    long_run_variance,
    mean_interval,
    running_variance,
    shortfall_e_values,
)

LOSS_SHARE = 0.5
MIN_LOSS = 0.02
"""The smallest loss that is relevant, also for a model that was evaluated without skill: squared errors that are 4 % larger."""
_MAX_BLOCKS = 10_000
_MAX_SHORTFALL = 4.0
"""Of one score, in standard deviations of the evaluated ones."""


@dataclass(frozen=True, eq=False)
class SequentialComparison:
    """What is known after each of the live scores, `(n,)` each: the mean with its confidence sequence `lows` and `highs`, and the evidence
    `e_values` that the skill is below the lower end of `evaluated_interval`, now or since some block.
    """

    evaluated_mean: float
    evaluated_interval: tuple[float, float]
    means: Values
    lows: Values
    highs: Values
    e_values: Values
    variance: float

    @classmethod
    def of(cls, evaluated: Values, scores: Values) -> "SequentialComparison":
        """Compare live scores `(n,)` with at least `MIN_BLOCKS` evaluated ones, each in order of time."""
        interval = mean_interval(evaluated)
        variance = running_variance(scores, evaluated)
        means, lows, highs = confidence_sequence(scores, variance)
        # What is cut off only speaks against the model: the mean of the others is at least as high, and one wild day does not decide.
        cut = np.maximum(scores, interval[0] - _MAX_SHORTFALL * float(evaluated.std(ddof=1)))
        evidence = shortfall_e_values(cut, interval[0], running_variance(cut, evaluated))
        last = float(variance[-1]) if len(scores) else long_run_variance(evaluated)
        return cls(float(evaluated.mean()), interval, means, lows, highs, evidence, last)

    @property
    def least_mean(self) -> float:
        """The live mean below which a relevant part of the skill is lost: half of it, even if the evaluation was unlucky."""
        high = self.evaluated_interval[1]
        return high - max(LOSS_SHARE * high, MIN_LOSS)

    @property
    def is_as_evaluated(self) -> NDArray[np.bool_]:
        """Whether it is certain that no relevant part of the skill is lost, `(n,)`."""
        return np.asarray(self.lows > self.least_mean)

    @property
    def first_alarm(self) -> int | None:
        """The number of the first block after which it is certain that the skill is lower."""
        alarms = np.flatnonzero(self.e_values >= ALARM_E_VALUE)
        return int(alarms[0]) if len(alarms) else None

    @property
    def blocks_needed(self) -> int | None:
        """The number of blocks after which a mean as evaluated is certain enough; None if no number is."""
        count = np.arange(1, _MAX_BLOCKS + 1, dtype=np.int64)
        enough = np.flatnonzero(half_width(count, self.variance) < self.evaluated_mean - self.least_mean)
        return int(enough[0]) + 1 if len(enough) else None
