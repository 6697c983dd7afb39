"""Turns SQS messages into jobs for `coinfarm.backfill.job_runner`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinfarm.backfill.job_runner import Job
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.json_rows import candles_from_rows
from coinfarm.errors import ErrorDetail, Forbidden, InvalidInput, MalformedRequest
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from coinfarm.serving.request import BatchRequest, ShardRequest, parse_message, prepare_series
from coinfarm.serving.response import response_file
from coinfarm.serving.settings import Settings
from coinfarm.storage import Storage, open_inside, resolve
from handler.candle_file import parse_candle_file, read_candle_file
from handler.message_body import unwrapped, upload_event
from handler.result_file import has_result, suffix, write_result
from handler.uploads import UploadJob, parse_upload

if TYPE_CHECKING:
    from coinfarm.prediction.model_manager import LoadedModel


@dataclass(frozen=True)
class Message:
    """One SQS message; `receive_count` is the number of deliveries so far, from 1. Hand-written events may have no body."""

    message_id: str
    body: str | None
    receive_count: int = 1


class MessageReader:
    """Reads the messages of one batch. Shards of the same candle store share one snapshot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshots: dict[str, CandleStoreSnapshot] = {}

    def job(self, message: Message) -> tuple[str | None, Job]:
        """The model version that the message pins, and the job. Raises `InvalidInput` with pointers to the invalid fields."""
        if not isinstance(message.body, str):
            raise MalformedRequest(ErrorDetail("", "the message has no body"))
        body = unwrapped(message.body)
        event = upload_event(body)
        if event is not None:
            return None, UploadJob(parse_upload(event), self._settings)
        request = parse_message(body.encode(errors="surrogatepass"))  # a lone surrogate is invalid JSON
        job = self._shard_job(request) if isinstance(request, ShardRequest) else self._request_job(request, message.message_id)
        return request.model_version, job

    def _shard_job(self, request: ShardRequest) -> ShardJob:
        shard = Shard(request.symbol, request.interval, request.date, request.stride, request.days)
        with _at_field("candlesUri"):
            candles = open_inside(request.candles_uri, _root("CANDLES_ROOT", self._settings.candles_root))
        with _at_field("resultsUri"):
            results = open_inside(request.results_uri, _root("RESULTS_ROOT", self._settings.results_root))
        return ShardJob(shard, request.model_version, self._snapshots.setdefault(candles.uri(), CandleStoreSnapshot(candles)), results)

    def _request_job(self, request: BatchRequest, message_id: str) -> "_RequestJob":
        with _at_field("resultsUri"):
            results, key = resolve(request.results_uri, _root("RESULTS_ROOT", self._settings.results_root))
        return _RequestJob(message_id, request, self._settings, results, key)


@dataclass(frozen=True)
class _RequestJob:
    """A request whose response is written to a file with the message id, because SQS may deliver a message more than once."""

    message_id: str
    request: BatchRequest
    settings: Settings
    results: Storage
    results_key: str

    def is_done(self) -> bool:
        return has_result(self.results, self.results_key, self.message_id, self.settings)

    def series(self) -> Series:
        settings, request = self.settings, self.request
        if request.candles is not None:
            candles = candles_from_rows(request.candles, request.symbol, request.interval)
        else:
            assert request.candles_uri is not None
            with _at_field("candlesUri"):
                storage, key = resolve(request.candles_uri, _root("CANDLES_ROOT", settings.candles_root))
            data = read_candle_file(storage, key, settings).data
            candles = parse_candle_file(data, key, settings, request.symbol, request.interval).between(request.start_ms, request.stop_ms)
        return prepare_series(candles, request.stride, request.gaps, settings.max_record_frames)

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        assert predictions is not None  # a request without windows is rejected earlier
        write_result(self.results, self.results_key, response_file(model, predictions, suffix(self.results_key), self.message_id))


def _root(variable: str, root: str | None) -> str:
    if root is None:
        raise Forbidden(f"is not allowed, because {variable} is not set")
    return root


@contextmanager
def _at_field(field_name: str) -> Iterator[None]:
    """Turn the rejection of a URI into an `InvalidInput` that names its field."""
    try:
        yield
    except Forbidden as error:
        raise InvalidInput(ErrorDetail(f"/{field_name}", str(error))) from None
