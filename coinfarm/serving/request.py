"""Requests for predictions, and their validation, for all entry points."""

from datetime import UTC, datetime
from datetime import date as Day  # noqa: N812 - a field is called date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps, reject_gaps, without_trades_as_filled
from coinfarm.candles.interval import AnyInterval, Interval
from coinfarm.candles.json_rows import candles_from_rows
from coinfarm.candles.symbol import AnySymbol, Symbol
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput, MalformedRequest, TooLarge, error_details
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

Gaps = Literal["fill", "reject", "skip"]
Stride = Annotated[int, Field(ge=1, le=10_000, description="The number of candles from one window to the next.")]

_MAX_ERRORS = 100

AnyRequest = TypeVar("AnyRequest", bound="ApiRequest")


class ApiRequest(BaseModel):
    """What all requests have in common: no unknown fields, and names in camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class PredictionRequest(ApiRequest):
    """Candles, oldest first; N candles make `(N - 200) // stride + 1` windows, each of which is predicted."""

    symbol: AnySymbol
    interval: AnyInterval
    candles: Annotated[list[CandleRow], Field(min_length=1)]
    stride: Stride = 1
    gaps: Annotated[
        Gaps,
        Field(
            description="What to do with missing candles: fill them with flat ones, reject the request, or skip the gaps of a market that "
            "closes, so that the candle after one follows the candle before it."
        ),
    ] = "fill"
    model_version: Annotated[
        str | None, Field(description="The model version to predict with; by default the one in service.", max_length=32)
    ] = None

    def series(self, max_frames: int) -> Series:
        """The validated candles and their windows. Raises `CandleError`, and `TooLarge` for more than `max_frames` windows."""
        return prepare_series(candles_from_rows(self.candles, self.symbol, self.interval), self.stride, self.gaps, max_frames)


class ExplanationRequest(PredictionRequest):
    """A request for the explanation of one prediction: that for the last window of the candles."""

    group_candles: Annotated[int, Field(ge=1, le=100, description="How many candles are erased at a time.")] = 5


class BatchRequest(ApiRequest):
    """An SQS message: candles inline or in a file, and the URI for the result."""

    symbol: AnySymbol
    interval: AnyInterval
    candles: Annotated[list[CandleRow], Field(min_length=1)] | None = None
    candles_uri: Annotated[
        str | None, Field(max_length=1024, pattern=r"\.(json|jsonl|csv|txt|parquet|feather|zip)(\.(gz|zst|bz2|xz))?$")
    ] = None
    start: Annotated[datetime | None, Field(alias="from")] = None
    stop: Annotated[datetime | None, Field(alias="to")] = None
    """The candles of the file whose open time is in `[from, to)` are used."""
    results_uri: Annotated[str, Field(max_length=1024, pattern=r"[^/]\.(json|parquet)$")]
    stride: Stride = 1
    gaps: Gaps = "fill"
    model_version: Annotated[str | None, Field(max_length=32)] = None

    @property
    def start_ms(self) -> int | None:
        return None if self.start is None else utc_milliseconds(self.start)

    @property
    def stop_ms(self) -> int | None:
        return None if self.stop is None else utc_milliseconds(self.stop)

    @model_validator(mode="after")
    def _candles_from_one_place(self) -> Self:
        if (self.candles is None) == (self.candles_uri is None):
            raise ValueError("send either candles or candlesUri")
        if self.candles_uri is None and (self.start or self.stop):
            raise ValueError("from and to are allowed only with candlesUri")
        return self


class ShardRequest(ApiRequest):
    """An SQS message: one shard of a backfill, and the roots of the candle store and of the results.

    Symbol and interval are spelled as in the keys of the run's results.
    """

    symbol: Symbol
    interval: Interval
    date: Annotated[Day, Field(description="The first UTC day of the shard. A window belongs to the day on which its last candle opens.")]
    days: Annotated[int, Field(ge=1, le=1440, description="How many days, from that day on.")] = 1
    stride: Stride = 1
    model_version: Annotated[Version, Field(description="Pinned, so that a run has one model from its beginning to its end.")]
    candles_uri: Annotated[str, Field(max_length=1024)]
    results_uri: Annotated[str, Field(max_length=1024)]


def parse_message(body: bytes) -> BatchRequest | ShardRequest:
    """Parse an SQS message: with a `date` it is a `ShardRequest`. Raises as `parse_request`."""
    try:
        fields = from_json(body)
    except ValueError:
        fields = None
    if isinstance(fields, dict) and "date" in fields:
        return parse_request(ShardRequest, body)
    return parse_request(BatchRequest, body)


def parse_request(kind: type[AnyRequest], document: Any) -> AnyRequest:
    """Parse a request from JSON bytes or from parsed JSON.

    Raises `MalformedRequest` for invalid JSON, and `InvalidInput` with a pointer to each missing, unknown or invalid field.
    """
    try:
        return kind.model_validate_json(document) if isinstance(document, bytes) else kind.model_validate(document)
    except ValidationError as error:
        if error.error_count() > _MAX_ERRORS:  # each error would take a kilobyte of memory
            raise InvalidInput(
                ErrorDetail("", f"{error.error_count()} fields are missing, unknown or invalid: check the document")
            ) from None
        found = error.errors(include_url=False, include_input=False, include_context=False)
        kind_of_error = MalformedRequest if found[0]["type"] == "json_invalid" else InvalidInput
        raise kind_of_error(*error_details(found)) from None


def prepare_series(candles: Candles, stride: int, gaps: Gaps, max_frames: int) -> Series:
    """Fill, reject or skip gaps; if they are skipped, the candle after a gap follows the one before it.

    Raises `CandleError` for too few candles or for rejected gaps, `TooLarge` for more than `max_frames` windows.
    """
    if not len(candles):
        raise CandleError(ErrorDetail("/candles", "no candles between from and to"))
    max_candles = max_frames * stride + STANDARD.window_candles - 1
    if len(candles) > max_candles:
        raise TooLarge(
            f"{window_count(len(candles), STANDARD, stride)} windows are more than the {max_frames} of one request: send at most "
            f"{max_candles} candles at a stride of {stride}, in several requests that overlap by {STANDARD.window_candles - 1} candles, "
            "or use the queue"
        )
    if gaps == "skip":
        return Series(without_trades_as_filled(candles), stride)
    return Series(reject_gaps(candles) if gaps == "reject" else fill_gaps(candles, min(max_candles, MAX_CANDLES)), stride)


def utc_milliseconds(time: datetime) -> int:
    """Milliseconds since the epoch; a time without a zone is UTC."""
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
