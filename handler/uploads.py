"""Candle files that are uploaded to S3, and their predictions in the results root."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote_plus

from pydantic import AliasChoices, BaseModel, Field

from coinfarm.errors import ErrorDetail, Forbidden, InvalidInput, NotFound
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from coinfarm.serving.request import prepare_series
from coinfarm.serving.response import response_file
from coinfarm.serving.settings import Settings
from coinfarm.storage import Storage, local_folder, open_storage, resolve
from handler.candle_file import parse_candle_file, read_candle_file
from handler.event_fields import parse_field
from handler.event_kinds import OBJECT_CREATED
from handler.result_file import has_result, write_result
from handler.telemetry import logger

if TYPE_CHECKING:
    from coinfarm.prediction.model_manager import LoadedModel


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: Annotated[str, Field(min_length=1, max_length=1024)]
    etag: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,128}$", validation_alias=AliasChoices("etag", "eTag"))]


class _Place(BaseModel):
    bucket: _Bucket
    object: _Object


@dataclass(frozen=True)
class Upload:
    """One version of an object in S3."""

    bucket: str
    key: str
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def results_key(self) -> str:
        """Each version of a file has its own result, so that a second event for it changes nothing."""
        return f"{self.key}/{self.etag}.parquet"


def single_uploads(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event itself if it has one upload, as those of EventBridge have, or one event for each of its records."""
    if "Records" in event:
        yield from ({"Records": [record]} for record in event["Records"])
    else:
        yield event


def parse_upload(event: dict[str, Any]) -> Upload:
    """The upload of an event with one. Raises `InvalidInput` for other events of S3, such as a deletion."""
    if event.get("detail-type") == OBJECT_CREATED:
        place = parse_field(_Place, event, "detail")
        return Upload(place.bucket.name, place.object.key, place.object.etag)
    if len(event["Records"]) != 1:
        raise InvalidInput(ErrorDetail("/Records", "a message has one record"))
    (record,) = event["Records"]
    if not str(record.get("eventName")).startswith("ObjectCreated:"):
        raise InvalidInput(ErrorDetail("/Records/0/eventName", f"{record.get('eventName')!r} is no upload"))
    place = parse_field(_Place, record, "s3")
    return Upload(place.bucket.name, unquote_plus(place.object.key), place.object.etag)  # EventBridge does not encode keys


class UploadJob:
    """Predicts all windows of an uploaded file. Its symbol and interval are those of its name or its content, as for every command."""

    def __init__(self, upload: Upload, settings: Settings) -> None:
        """Raises `InvalidInput` if the file is outside `CANDLES_ROOT`, or inside `RESULTS_ROOT`, which has results."""
        if settings.candles_root is None or settings.results_root is None:
            raise InvalidInput(ErrorDetail("", "an upload is not predicted, because CANDLES_ROOT or RESULTS_ROOT is not set"))
        self._upload = upload
        self._settings = settings
        self._candles, self._key = _open(upload, settings.candles_root)
        self._results = open_storage(settings.results_root)
        if self._candles.uri(self._key).startswith(self._results.uri().rstrip("/") + "/"):
            raise InvalidInput(ErrorDetail("", f"{upload.uri} is inside {settings.results_root}: results are not predicted"))

    def is_done(self) -> bool:
        return has_result(self._results, self._upload.results_key, self._upload.etag, self._settings)

    def series(self) -> Series | None:
        """None if the file has been replaced or deleted since: a newer version has an event of its own."""
        try:
            blob = read_candle_file(self._candles, self._key, self._settings)
        except NotFound:
            logger.info("upload was deleted", extra={"uri": self._upload.uri})
            return None
        if local_folder(self._candles.uri()) is None and blob.etag.strip('"') != self._upload.etag:
            logger.info("upload was replaced", extra={"uri": self._upload.uri})
            return None
        candles = parse_candle_file(blob.data, self._upload.key, self._settings)
        return prepare_series(candles, 1, "fill", self._settings.max_record_frames)

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        if predictions is not None:
            write_result(self._results, self._upload.results_key, response_file(model, predictions, ".parquet", self._upload.etag))


def _open(upload: Upload, root: str) -> tuple[Storage, str]:
    """The storage at the root and the file's key in it; a local root takes the place of every bucket."""
    try:
        return resolve(upload.uri if local_folder(root) is None else upload.key, root)
    except Forbidden as error:
        raise InvalidInput(ErrorDetail("", str(error))) from None
