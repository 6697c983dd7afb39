"""The evaluation document: what `coinfarm evaluate --json` prints, and what is stored with a model version.

`EvaluationRecord` is the stored form: only the fields that comparisons need are required, and unknown fields are ignored. `Evaluation`
requires all fields.
"""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from coinfarm.documents import FromDate, Sha256, ToDate, translate_validation_errors
from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.models.evaluation_scores import Baseline, CoinScores, DirectionAccuracy, EvaluationPart, OutputMetrics
from coinfarm.models.live_reference import LiveReference
from coinfarm.models.version import Version
from coinfarm.outputs import OUTPUT_NAMES

_UNNAMED_HORIZON = 30
"""Not part of the conditions: it was the only one in 0.1.0."""


class EvaluatedModel(EvaluationPart):
    """The version that was evaluated, and the engine that ran it."""

    name: str = ""
    version: Version
    engine: str = ""


class Counts(EvaluationPart):
    """How many windows the period has, how many were evaluated, and why the others were not.

    `across_gaps` have too many missing candles in a row, in the window or its horizon (`coinfarm.candles.filled_windows`).
    `in_sample` is None for a model whose training data is unknown. `effective` is an upper bound of the independent observations among
    the evaluated frames: labels of frames closer together than a horizon overlap.
    """

    windows: int
    evaluated: Annotated[int, Field(validation_alias="judged", serialization_alias="judged")]
    in_sample: int | None
    without_prediction: int
    without_horizon: int
    across_gaps: int = 0
    effective: float


class BaselineFit(EvaluationPart):
    """What the baselines were fitted on: windows that end, with their horizon, before `before_ms` of their symbol."""

    frames: int
    stride: int
    before_ms: dict[str, int]


class Bootstrap(EvaluationPart):
    """How every interval was computed: by resampling blocks of days, in which all coins stay together.

    `block_candles` is the length of the shortest block; `min_blocks` the number of effective blocks that an interval needs, None in
    documents of earlier versions.
    """

    level: float
    samples: int
    block_candles: int
    seed: int
    min_blocks: int | None = None


class EvaluationRecord(EvaluationPart):
    """An evaluation that can be stored. `from_date` is in the period, `to_date` is not; windows and horizons lie completely within it.

    `candles` is per symbol the sha256 of the candles evaluated on (`open_time`, then open, high, low, close and volume, each column
    complete, little-endian, gaps not filled); `candle_files` is where they came from. `frames` were evaluated. `direction` is of the end
    change, `rise_over_decline` of whether the rise is greater than the decline. `live_reference` is what live predictions are compared
    with, None in documents of earlier versions. Percent are of the window's last close, accuracies of frames.
    """

    error: ClassVar[type[CoinfarmError]] = ModelError

    model: EvaluatedModel
    from_date: FromDate
    to_date: ToDate
    interval: str | None = None
    is_trained_interval: bool | None = None
    stride: Annotated[int, Field(ge=1)]
    horizon_candles: int | None = None
    candles: Annotated[dict[str, Sha256], Field(min_length=1)]
    candle_files: tuple[str, ...] = ()
    includes_in_sample: bool = False
    frames: Annotated[int, Field(ge=1)]
    counts: Counts | None = None
    mean_absolute_end_change_pct: float | None = None
    outputs: dict[str, OutputMetrics]
    direction: DirectionAccuracy = DirectionAccuracy()
    rise_over_decline: DirectionAccuracy = DirectionAccuracy()
    baselines: dict[str, Baseline] = Field(default_factory=dict)
    by_coin: dict[str, CoinScores] = Field(default_factory=dict)
    baseline_fit: BaselineFit | None = None
    bootstrap: Bootstrap | None = None
    live_reference: LiveReference | None = None

    @classmethod
    def read(cls, document: dict[str, Any], where: str) -> Self:
        """The record in a JSON object; raises `ModelError` naming `where` and the field if one that comparisons need is missing.

        Required are `model.version`, `from` and `to` (dates), `stride`, `candles` (symbol → sha256), `frames`, and `outputs.NAME.r2` of
        each of `OUTPUT_NAMES`.
        """
        with translate_validation_errors(where, cls.error):
            record = cls.model_validate(document)
        missing = [name for name in OUTPUT_NAMES if name not in record.r2]
        if missing:
            raise cls.error(f"{where} is not valid: {', '.join(f'outputs.{name}.r2' for name in missing)}: Field required")
        return record

    @property
    def r2(self) -> dict[str, float]:
        """R² by output, where it has a value."""
        outputs = {name: self.outputs[name].r2 for name in OUTPUT_NAMES if name in self.outputs}
        return {name: r2 for name, r2 in outputs.items() if r2 is not None}

    @property
    def score(self) -> float:
        """The number used to compare versions: the mean R² of the outputs."""
        return sum(self.r2.values()) / len(self.r2)

    @property
    def interval_title(self) -> str:
        """The interval, marked if the model was not trained on it."""
        return f"{self.interval or ''}{' (not trained)' if self.is_trained_interval is False else ''}"

    @property
    def conditions(self) -> str:
        """`FROM--TO-DIGEST`, the same for all versions evaluated on the same dates, stride, candles and horizon."""
        horizon = [] if self.horizon_candles in (None, _UNNAMED_HORIZON) else [self.horizon_candles]
        conditions = json.dumps([str(self.from_date), str(self.to_date), self.stride, sorted(self.candles.items()), *horizon])
        return f"{self.from_date}--{self.to_date}-{hashlib.sha256(conditions.encode()).hexdigest()[:8]}"


class Evaluation(EvaluationRecord):
    """A complete evaluation, as `coinfarm evaluate` makes it."""

    interval: str
    horizon_candles: int
    counts: Counts
    mean_absolute_end_change_pct: float
    bootstrap: Bootstrap

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: camelCase, null where there is no value."""
        return self.model_dump(mode="json", by_alias=True)
