"""A request for predictions: what one may ask, whichever entrance it comes through."""

from datetime import UTC, datetime
from datetime import date as Day  # noqa: N812 - a field is called date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps, reject_gaps
from coinfarm.candles.interval import Interval
from coinfarm.candles.json_rows import candles_from_rows
from coinfarm.candles.symbol import Symbol
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CandleError, Fault, MalformedRequest, RequestError, TooLarge
from coinfarm.models.version import Version
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import window_count

CandleRow = Annotated[
    Any,
    Field(
        description=(
            "A kline `[openTime, open, high, low, close, volume, …]`, or an object of these six. "
            "`openTime` in milliseconds UTC; prices and volume as numbers or strings."
        )
    ),
]

Stride = Annotated[int, Field(ge=1, le=10_000, description="How many candles lie between the ends of two windows.")]

_MAX_FAULTS = 100

AnyRequest = TypeVar("AnyRequest", bound="_Request")


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class PredictionRequest(_Request):
    """Candles, oldest first; N of them make `(N - 200) // stride + 1` windows, each of which is predicted."""

    symbol: Symbol
    interval: Interval
    candles: Annotated[list[CandleRow], Field(min_length=1)]
    stride: Stride = 1
    gaps: Annotated[
        Literal["fill", "reject"],
        Field(description="What to do with missing candles: fill them with flat ones, or reject the request."),
    ] = "fill"
    model_version: Annotated[str | None, Field(description="The version to predict with; else the one in service.", max_length=32)] = None

    def series(self, max_frames: int) -> Series:
        """The checked candles and their windows; raises `CandleError`, `TooLarge` where they are more than `max_frames`."""
        return prepare_series(candles_from_rows(self.candles, self.symbol, self.interval), self.stride, self.gaps, max_frames)


class BatchRequest(_Request):
    """A message of the queue: candles inline or in a file, and where the answer is to be written."""

    symbol: Symbol
    interval: Interval
    candles: Annotated[list[CandleRow], Field(min_length=1)] | None = None
    candles_uri: Annotated[str | None, Field(max_length=1024, pattern=r"\.(json|csv|parquet)$")] = None
    start: Annotated[datetime | None, Field(alias="from")] = None
    stop: Annotated[datetime | None, Field(alias="to")] = None
    """Of the file, the candles that open in `[from, to)` are taken."""
    results_uri: Annotated[str, Field(max_length=1024, pattern=r"[^/]\.(json|parquet)$")]
    stride: Stride = 1
    gaps: Literal["fill", "reject"] = "fill"
    model_version: Annotated[str | None, Field(max_length=32)] = None

    @property
    def start_ms(self) -> int | None:
        return _milliseconds(self.start)

    @property
    def stop_ms(self) -> int | None:
        return _milliseconds(self.stop)

    @model_validator(mode="after")
    def _candles_from_one_place(self) -> Self:
        if (self.candles is None) == (self.candles_uri is None):
            raise ValueError("give either candles or candlesUri")
        if self.candles_uri is None and (self.start or self.stop):
            raise ValueError("from and to choose among the candles of a candlesUri; inline candles are all taken")
        return self


class ShardRequest(_Request):
    """A message of the queue: one shard of a backfill, and the roots of the candle store and of the results."""

    symbol: Symbol
    interval: Interval
    date: Annotated[Day, Field(description="The first UTC day on which the last candles of its windows open.")]
    days: Annotated[int, Field(ge=1, le=1440, description="How many days, from that day on.")] = 1
    stride: Stride = 1
    model_version: Annotated[Version, Field(description="Pinned, so that a run has one model from its beginning to its end.")]
    candles_uri: Annotated[str, Field(max_length=1024)]
    results_uri: Annotated[str, Field(max_length=1024)]


def parse_message(body: bytes) -> BatchRequest | ShardRequest:
    """A message of the queue, which asks for a shard where it names a `date`; raises as `parse_request`."""
    try:
        fields = from_json(body)
    except ValueError:
        fields = None
    if isinstance(fields, dict) and "date" in fields:
        return parse_request(ShardRequest, body)
    return parse_request(BatchRequest, body)


def parse_request(kind: type[AnyRequest], document: Any) -> AnyRequest:
    """A request out of JSON (bytes), or out of what JSON became (anything else).

    Raises `MalformedRequest` for what is not JSON, `RequestError` that points at each missing, unknown or wrong field.
    """
    try:
        return kind.model_validate_json(document) if isinstance(document, bytes) else kind.model_validate(document)
    except ValidationError as error:
        if error.error_count() > _MAX_FAULTS:  # each would take a kilobyte of memory
            raise RequestError(
                Fault("", f"{error.error_count()} of its fields are missing, unknown or wrong: send another document")
            ) from None
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [Fault("".join(f"/{part}" for part in fault["loc"]), fault["msg"]) for fault in found]
        if found[0]["type"] == "json_invalid":
            raise MalformedRequest(*faults) from None
        raise RequestError(*faults) from None


def prepare_series(candles: Candles, stride: int, gaps: Literal["fill", "reject"], max_frames: int) -> Series:
    """Candles made whole; raises `CandleError` for too few or (asked to) for holes, `TooLarge` for over `max_frames` windows."""
    if not len(candles):
        raise CandleError(Fault("/candles", "there is no candle between from and to"))
    max_candles = max_frames * stride + STANDARD.window_candles - 1
    if len(candles) > max_candles:
        raise TooLarge(
            f"{window_count(len(candles), STANDARD, stride)} windows are more than the {max_frames} of one request: send at most "
            f"{max_candles} candles at a stride of {stride}, in several requests that overlap by {STANDARD.window_candles - 1} candles, "
            "or through the queue"
        )
    return Series(reject_gaps(candles) if gaps == "reject" else fill_gaps(candles, min(max_candles, MAX_CANDLES)), stride)


def _milliseconds(time: datetime | None) -> int | None:
    """Since the epoch; a time that names no zone is UTC."""
    if time is None:
        return None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
