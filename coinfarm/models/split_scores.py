"""The scores on the splits of the training data, measured at the end of training and stored in a manifest's `metrics`."""

from collections.abc import Mapping

from pydantic import Field, JsonValue, ValidationError

from coinfarm.documents import FromDate, ToDate
from coinfarm.models.evaluation_scores import EvaluationPart, OutputScores


class SplitOutputScores(OutputScores):
    """The scores of one output; the accuracy is that of the end change alone."""

    direction_right_pct: float | None = None


class FrameScores(EvaluationPart):
    """The model's scores by output on some frames, and those of each baseline."""

    frames: int
    model: dict[str, SplitOutputScores]
    baselines: dict[str, dict[str, SplitOutputScores]] = Field(default_factory=dict)


class SplitScores(FrameScores):
    """The scores on one split, and, if it has frames of several intervals, on those of each."""

    from_date: FromDate
    to_date: ToDate
    intervals: dict[str, FrameScores] = Field(default_factory=dict)


def split_scores(metrics: Mapping[str, JsonValue]) -> dict[str, SplitScores]:
    """The splits in a manifest's metrics. Other entries, as bundles from elsewhere may have them, are left out."""
    found = {}
    for name, document in metrics.items():
        try:
            found[name] = SplitScores.model_validate(document)
        except ValidationError:
            continue
    return found
