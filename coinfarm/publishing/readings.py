"""Every way in which the outputs of a network could be meant: order, sign and unit; and which of them what happened supports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.models.candidate import GivenUnit
from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.frame_batch import in_percent
from coinfarm.publishing.labelled_frames import LabelledFrames

_MIN_CORRELATION = 0.1
"""Three standard errors of the correlation over a thousand windows."""
_MIN_SKILL = 0.02
_SHORT_NAMES: dict[str, str] = {"maxRisePct": "rise", "maxDeclinePct": "decline", "endChangePct": "end"}


@dataclass(frozen=True)
class Reading:
    """One meaning of the outputs, and how well it fits: `skill` is 1 − mean absolute error / that of the best constants, over all outputs.

    `correlation` is that of the rise and the decline, in the unit of the reading: the smaller of the two.
    """

    outputs: tuple[Output, ...]
    unit: GivenUnit
    is_decline_positive: bool
    skill: float
    correlation: float

    @property
    def is_plausible(self) -> bool:
        """Whether the predictions, read so, say more than a constant does."""
        return self.skill >= _MIN_SKILL and self.correlation >= _MIN_CORRELATION

    def changes(self, declared: Sequence[Output]) -> int:
        """The number of ways in which it differs from the declared outputs."""
        return sum(
            (own.name != other.name) + (own.unit != other.unit) + (own.factor != other.factor)
            for own, other in zip(self.outputs, declared, strict=True)
        )

    def options(self, declared: Sequence[Output]) -> str:
        """The options of `model publish` for this reading."""
        names = [f"{'-' if self._is_negated(output) else ''}{_SHORT_NAMES[output.name]}" for output in self.outputs]
        needs_names = self.is_decline_positive or [output.name for output in self.outputs] != [output.name for output in declared]
        return " ".join([*([f"--outputs {','.join(names)}"] if needs_names else []), f"--unit {self.unit}"])

    def _is_negated(self, output: Output) -> bool:
        return self.is_decline_positive and output.name == "maxDeclinePct"


def readings(raw: NDArray[np.float32], declared: Sequence[Output], labelled: LabelledFrames) -> Iterator[Reading]:
    """Every reading of raw outputs `(N, outputs)`, whose classes, if any, are those that were declared."""
    for names in permutations(OUTPUT_NAMES):
        for unit in ("percent", "window_range", "fraction"):
            for is_decline_positive in (False, True):
                outputs = tuple(
                    _output(column, name, unit, negated=is_decline_positive and name == "maxDeclinePct")
                    for column, name in zip(declared, names, strict=True)
                )
                yield Reading(outputs, unit, is_decline_positive, *_fit(raw, outputs, labelled))


def skill(predicted: Values, actual: Values) -> float:
    """1 − mean absolute error / that of the best constants: the mean over all outputs."""
    error = np.abs(predicted - actual).mean(axis=0)
    error_of_constant = np.abs(actual - np.median(actual, axis=0)).mean(axis=0)
    return float((1 - error / np.maximum(error_of_constant, 1e-12)).mean())


def correlations(predicted: Values, actual: Values) -> tuple[float, ...]:
    """The correlation of each output; 0 where one of the two is constant."""
    pairs = zip(predicted.T, actual.T, strict=True)
    return tuple(float(np.corrcoef(x, y)[0, 1]) if x.std() > 1e-9 and y.std() > 1e-9 else 0.0 for x, y in pairs)


def _fit(raw: NDArray[np.float32], outputs: tuple[Output, ...], labelled: LabelledFrames) -> tuple[float, float]:
    predicted = in_percent(raw, outputs, labelled.range_pct)
    scale = labelled.range_pct[:, None] if outputs[0].unit == "window_range" else 1.0
    rise, decline, _ = correlations(predicted / scale, labelled.targets_pct / scale)
    return skill(predicted, labelled.targets_pct), min(rise, decline)


def _output(column: Output, name: str, unit: GivenUnit, *, negated: bool) -> Output:
    factor = (100.0 if unit == "fraction" else 1.0) * (-1.0 if negated else 1.0)
    return column.model_copy(
        update={"name": name, "unit": "window_range" if unit == "window_range" else "percent", "factor": None if factor == 1 else factor}
    )
