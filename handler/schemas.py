"""What the API answers, as its document describes it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from coinfarm.models.manifest import Output
from coinfarm.models.training_data import TrainingData


class _Response(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, protected_namespaces=())


class ModelIdentity(_Response):
    """Which model it was."""

    name: str
    version: str
    engine: str


class PredictedPct(_Response):
    """In percent of the window's last close, signed: a decline is negative."""

    max_rise_pct: float
    max_decline_pct: float
    end_change_pct: float


class Result(_Response):
    """One window. Of ready-made frames the times are not known."""

    open_time: int | None = Field(description="When the window's first candle opens, milliseconds UTC.")
    close_time: int | None = Field(description="The last millisecond of the window's last candle, UTC.")
    in_sample: bool | None = Field(
        description="Whether the model may have learnt from these candles: then the prediction proves nothing. Null where it does not tell."
    )
    filled_candles: int | None = Field(description="How many of the window's candles were missing, and were filled with flat ones.")
    predictions: PredictedPct | None = Field(description="Null where more than half of the window was filled.")


class PredictionResponse(_Response):
    """One result per window, in their order."""

    model: ModelIdentity
    results: list[Result]


class Model(ModelIdentity):
    """The model in service: what it foretells, what it learnt from, and how good it is on what it did not."""

    horizon_candles: int
    outputs: list[Output]
    training: TrainingData | None
    metrics: dict[str, Any] | None


class Health(_Response):
    """The process answers."""

    status: Literal["ok"]


class Ready(_Response):
    """A model is loaded."""

    status: Literal["ready"]
    model: ModelIdentity


class ErrorDetail(_Response):
    """One mistake."""

    pointer: str = Field(description="Where, as a JSON pointer into the request.", examples=["/candles/17/high"])
    detail: str


class Problem(_Response):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorDetail] | None = None
