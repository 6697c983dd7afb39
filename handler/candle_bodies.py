"""Bodies with candles: a `PredictionRequest` in JSON, or a candle file with its options in the query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from coinfarm.candles.files import Reading
from coinfarm.errors import ErrorDetail, InvalidInput, MalformedRequest
from coinfarm.prediction.series import Series
from coinfarm.serving.candle_upload import FILE_TYPES, JSON_MEMORY_FACTOR, FileOptions, PredictionOptions
from coinfarm.serving.request import PredictionRequest, parse_request
from coinfarm.serving.settings import Settings
from handler.problems import UnsupportedMediaType

JSON = "application/json"

Query = Mapping[str, str]

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
"""The second is what curl declares for every body, unless it is told another type."""
_HEAD_BYTES = 200
_FIELDS = {field.alias for field in PredictionRequest.model_fields.values()}


@dataclass(frozen=True)
class PredictionInput:
    """What to predict, with which version, and how the file was read, if it was one."""

    series: Series
    model_version: str | None
    reading: Reading | None = None

    @property
    def file_fields(self) -> dict[str, Any]:
        """What the response says about a file, besides the predictions."""
        if self.reading is None:
            return {}
        candles = self.reading.candles
        note = self.series.missing_note("gaps=skip")
        return {"symbol": candles.symbol, "interval": candles.interval, "notes": [*self.reading.notes, *([note] if note else [])]}


def prediction_input(body: bytes, media_type: str, query: Query, settings: Settings) -> PredictionInput:
    """The candles of a body. Raises `InvalidInput`, `TooLarge`, and `UnsupportedMediaType` if they cannot be in such a body."""
    if media_type != JSON or _is_other_layout(body, query):
        options = parse_request(PredictionOptions, dict(query))
        reading = read_file(body, media_type, options, settings)
        series = options.series(reading, settings.max_frames)
        return PredictionInput(series, options.model_version, reading)
    reject_query(query, "the fields of this body have the same names")
    request = parse_request(PredictionRequest, body)
    return PredictionInput(request.series(settings.max_frames), request.model_version)


def read_file(body: bytes, media_type: str, options: FileOptions, settings: Settings) -> Reading:
    """The candles of a file in a body."""
    if media_type not in (JSON, *FILE_TYPES):
        raise unsupported(media_type, (JSON, *FILE_TYPES))
    return options.read(body, settings.max_candle_file_bytes // JSON_MEMORY_FACTOR)


def reject_query(query: Query, reason: str) -> None:
    """Raise `InvalidInput` for query parameters, which are for candle files."""
    if query:
        names = ", ".join(sorted(query))
        raise InvalidInput(ErrorDetail("", f"the query parameters ({names}) are for candle files: {reason}"))


def unsupported(media_type: str, accepted: tuple[str, ...]) -> UnsupportedMediaType:
    """The error for a body of another media type."""
    hint = "; send the file itself, not a form" if media_type in _FORMS else ""
    return UnsupportedMediaType(ErrorDetail("", f"{media_type} is not accepted here: send {', '.join(accepted)}{hint}"))


def begins_with_candles(body: bytes) -> bool:
    """Whether JSON seems to be a `PredictionRequest`, without parsing it: false is possible for one with fields before its candles."""
    return b'"candles"' in body[:_HEAD_BYTES]


def _is_other_layout(body: bytes, query: Query) -> bool:
    """Whether JSON is not a `PredictionRequest`, right or wrong, but candles in the layout of an exchange or of another program.

    Raises `MalformedRequest` for what is not JSON.
    """
    if not query and begins_with_candles(body):  # the usual case, without parsing twice
        return False
    try:
        document = from_json(body)
    except ValueError as error:
        raise MalformedRequest(ErrorDetail("", f"Invalid JSON: {error}")) from None
    if not isinstance(document, dict):
        return isinstance(document, list)
    names = document.keys()
    return not ({"symbol", "interval"} <= names or (not query and (names <= _FIELDS or "candles" in names)))
