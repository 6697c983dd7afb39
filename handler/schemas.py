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
    """One result per window, in the order of the windows."""

    model: ModelIdentity
    results: list[Result]


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
