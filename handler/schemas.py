"""The responses of the API, as the OpenAPI document describes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from coinfarm.models.manifest import Output
from coinfarm.models.training_data import TrainingData


class _Response(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, protected_namespaces=())


class ModelIdentity(_Response):
    """The model and the engine that ran it."""

    name: str
    version: str
    engine: str


class PredictedPct(_Response):
    """Percent of the window's last close; a decline is negative."""

    max_rise_pct: float
    max_decline_pct: float
    end_change_pct: float


class Result(_Response):
    """The prediction for one window. For pre-rendered frames the times are unknown."""

    open_time: int | None = Field(description="Open time of the window's first candle, milliseconds UTC.")
    close_time: int | None = Field(description="Close time of the window's last candle (its last millisecond), milliseconds UTC.")
    in_sample: bool | None = Field(
        description="Whether these candles may be in the training data; such predictions do not show the model's quality. Null if unknown."
    )
    filled_candles: int | None = Field(description="The number of missing candles in the window, which were filled with flat ones.")
    predictions: PredictedPct | None = Field(description="Null if more than half of the window was filled.")
    horizons: dict[str, PredictedPct] | None = Field(
        None, description="The predictions by horizon, a number of candles. Only of a model with several; `predictions` are of its first."
    )


class PredictionResponse(_Response):
    """One result per window, in the order of the windows. The last three fields are there if the candles were in a file."""

    model: ModelIdentity
    results: list[Result]
    symbol: str | None = None
    interval: str | None = None
    notes: list[str] | None = Field(None, description="What was dropped from the file, or looks wrong in it.")


class CandleList(_Response):
    """The candles of a file, oldest first."""

    symbol: str
    interval: str
    source: str = Field(description="Which program or exchange wrote the file, as far as it is known.")
    candles: list[list[float]] = Field(
        description="Rows of open time (milliseconds UTC), open, high, low, close and volume; `POST /predictions` takes them as they are."
    )
    total_candles: int = Field(description="The number of candles in the file.")
    notes: list[str] = Field(description="What was dropped, or looks wrong.")


class CandleGroup(_Response):
    """Candles that are erased together: the first one's open time and the last one's close time, milliseconds UTC."""

    open_time: int
    close_time: int


class PartEffects(_Response):
    """The effects of a group's bodies, wicks, volumes, and of all three together; one number per group, in percentage points."""

    body: list[float]
    wick: list[float]
    volume: list[float]
    all: list[float]


class Explanation(Result):
    """The prediction for a window, and how it changes when groups of its candles are erased from the frame, one after another."""

    model: ModelIdentity
    symbol: str
    interval: str
    groups: list[CandleGroup]
    effects_pct: dict[str, PartEffects] = Field(
        description="By output: the prediction for the complete frame minus that without these pixels; positive effects raised it."
    )


class RejectedVersion(_Response):
    """A version that was promoted but cannot be loaded, so that the version before it stays in service."""

    version: str | None = Field(description="Null if the pointer to the version in service cannot be read.")
    reason: str


class Model(ModelIdentity):
    """The model in service: its outputs, its training data, and its metrics on data that it was not trained on."""

    horizon_candles: int
    outputs: list[Output]
    training: TrainingData | None
    metrics: dict[str, Any] | None
    rejected: RejectedVersion | None = Field(default=None, description="Null if the version in service is the one that was promoted last.")


class Health(_Response):
    """The process responds."""

    status: Literal["ok"]


class Ready(_Response):
    """A model is loaded."""

    status: Literal["ready"]
    model: ModelIdentity
    rejected: RejectedVersion | None = Field(default=None, description="Null if the version in service is the one that was promoted last.")


class ProblemError(_Response):
    """One error in the request."""

    pointer: str = Field(description="The location in the request, as a JSON pointer.", examples=["/candles/17/high"])
    detail: str


class Problem(_Response):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError] | None = None
