"""How the outputs of a network were calibrated at the end of training, as a manifest's `metrics` store it."""

from collections.abc import Mapping

from pydantic import JsonValue, TypeAdapter, ValidationError

from coinfarm.models.evaluation_scores import ConfidenceInterval, EvaluationPart
from coinfarm.outputs import output_title
from coinfarm.reports.formatting import bounds_text, score_text


class OutputCalibration(EvaluationPart):
    """The calibration of one output: predictions became `mean + factor * (prediction - mean)`, in the network's units.

    `slope` is that of actual over predicted values on the validation period, None if the predictions did not vary; `slope_interval` its
    90 % interval, None if the period was too short.
    """

    factor: float
    mean: float
    slope: float | None = None
    slope_interval: ConfidenceInterval | None = None

    @property
    def text(self) -> str:
        """What happened to the output, and why."""
        slope = f"slope {score_text(self.slope, 2)} {bounds_text(self.slope_interval, 2)}".rstrip()
        if self.slope is None:
            return "constant: the predictions did not vary"
        if self.factor == 0:
            reason = "the period is too short to show it" if self.slope_interval is None else slope
            return f"constant, because validation does not show that it is predicted ({reason})"
        if self.slope_interval is None:
            return "unchanged: the validation period is too short to measure its slope"
        return f"multiplied by {score_text(self.factor, 2)}, for its {slope} on validation"


_CALIBRATIONS = TypeAdapter(dict[str, OutputCalibration])


def output_calibrations(metrics: Mapping[str, JsonValue]) -> dict[str, OutputCalibration]:
    """The calibration of each output by its title, from a manifest's metrics; empty if there is none."""
    try:
        by_name = _CALIBRATIONS.validate_python(metrics.get("calibration", {}))
    except ValidationError:  # a bundle from elsewhere
        return {}
    return {output_title(name): calibration for name, calibration in by_name.items()}
