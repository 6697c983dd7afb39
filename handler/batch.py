"""Messages of the queue: requests whose answers are written to a file. Lambda and the worker share it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from coinfarm.answer import answer_file, asked_by
from coinfarm.candle_files import parse_candles
from coinfarm.candle_rows import candles_from_rows
from coinfarm.errors import CoinfarmError, Fault, Forbidden, NotFound, RequestError
from coinfarm.predictor import Predictor, Series
from coinfarm.request import BatchRequest, parse_request, series_of
from coinfarm.service import Service
from coinfarm.storage import Storage, resolve
from handler.problems import problem
from handler.telemetry import count, count_timings, logger

TIME_RESERVE_MS = 10_000
"""What is left of an invocation when no further batch is begun: one batch and its writes take less."""

_CONTENT_TYPES = {".json": "application/json", ".parquet": "application/vnd.apache.parquet"}


class TimeIsShort(Exception):
    """The rest of the batch is given back to the queue."""


@dataclass(frozen=True)
class Message:
    """One message of the queue."""

    message_id: str
    body: str


@dataclass
class Outcomes:
    """What became of each message: done once its answer is written, or the reason why not."""

    failures: dict[str, Exception] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def fail(self, message_id: str, error: Exception) -> None:
        """Log and count the failure; the message goes back to the queue, and in the end to the dead letters."""
        self.failures[message_id] = error
        if isinstance(error, TimeIsShort):
            logger.info("record given back", extra={"message_id": message_id, "reason": str(error)})
            return
        count("FailedRecords")
        if isinstance(error, CoinfarmError):
            logger.warning("record failed", extra={"message_id": message_id, "problem": problem(error)})
        else:
            logger.error("record failed", extra={"message_id": message_id}, exc_info=error)

    def give_back(self, messages: Sequence[Message], error: Exception) -> None:
        """All that is neither done nor failed."""
        for message in messages:
            if message.message_id not in self.done | self.failures.keys():
                self.fail(message.message_id, error)


def handle(event: dict[str, Any], context: Any, service: Service) -> Any:
    """Answer one event of SQS with the partial batch response: only the records that failed come back."""
    messages = [Message(record["messageId"], record["body"]) for record in event["Records"]]

    def time_left() -> None:
        if context.get_remaining_time_in_millis() < TIME_RESERVE_MS:
            raise TimeIsShort("too little time is left in this invocation")

    outcomes = work(messages, service, time_left)

    def settle(record: SQSRecord) -> None:
        if record.message_id not in outcomes.done:
            raise outcomes.failures[record.message_id]

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, settle, processor, context)


def work(messages: Sequence[Message], service: Service, before_batch: Callable[[], None]) -> Outcomes:
    """Do what the messages ask for. Those of one model version share the engine's batches; none fails another.

    `before_batch` is called before each call of the engine; what it raises gives the rest back.
    """
    outcomes = Outcomes()
    by_version: dict[str | None, list[_Job]] = {}
    for message in {message.message_id: message for message in messages}.values():
        try:
            job = _Job.of(message, service)
        except Exception as error:  # noqa: BLE001 - what is wrong with one message is no fault of its neighbours
            outcomes.fail(message.message_id, error)
        else:
            by_version.setdefault(job.request.model_version, []).append(job)
    for version, jobs in by_version.items():
        try:
            predictor = service.predictor(version)
            predictor.before_batch = before_batch
            try:
                _predict(jobs, predictor, service, outcomes)
            finally:
                count_timings(predictor.timings)
        except Exception as error:  # noqa: BLE001 - whatever it was, the messages must go back
            outcomes.give_back([job.message for job in jobs], error)
    return outcomes


@dataclass(frozen=True)
class _Job:
    """A message understood: what is asked for, and where the answer goes."""

    message: Message
    request: BatchRequest
    results: Storage
    results_key: str

    @classmethod
    def of(cls, message: Message, service: Service) -> "_Job":
        request = parse_request(BatchRequest, message.body.encode())
        results, key = _place("resultsUri", request.results_uri, service.settings.results_root)
        return cls(message, request, results, key)

    @property
    def ending(self) -> str:
        return PurePosixPath(self.results_key).suffix

    def is_answered(self) -> bool:
        """Whether this very message was answered before: SQS delivers at least once."""
        try:
            written = self.results.read(self.results_key).data
        except NotFound:
            return False
        return asked_by(written, self.ending) == self.message.message_id

    def series(self, service: Service) -> Series:
        settings, request = service.settings, self.request
        if request.candles is not None:
            candles = candles_from_rows(request.candles, request.symbol, request.interval)
        else:
            assert request.candles_uri is not None
            storage, key = _place("candlesUri", request.candles_uri, settings.candles_root)
            candles = parse_candles(
                storage.read(key, settings.max_candle_file_bytes).data,
                key,
                symbol=request.symbol,
                interval=request.interval,
                start_ms=request.start_ms,
                stop_ms=request.stop_ms,
            )
        return series_of(candles, request.stride, request.gaps, settings.max_record_frames)


def _predict(jobs: Sequence[_Job], predictor: Predictor, service: Service, outcomes: Outcomes) -> None:
    """Predict and write, job by job; a job's candles are fetched only when the batch before it has room."""
    in_work: deque[_Job] = deque()

    def good_series() -> Iterator[Series]:
        for job in jobs:
            try:
                if job.is_answered():
                    outcomes.done.add(job.message.message_id)
                    continue
                series = job.series(service)
            except Exception as error:  # noqa: BLE001 - no fault of its neighbours
                outcomes.fail(job.message.message_id, error)
                continue
            in_work.append(job)
            yield series

    for predictions in predictor.predict_each(good_series()):
        job = in_work.popleft()
        try:
            data = answer_file(predictor.model, predictions, job.ending, job.message.message_id)
            job.results.write(job.results_key, data, content_type=_CONTENT_TYPES[job.ending])
        except Exception as error:  # noqa: BLE001 - no fault of its neighbours
            outcomes.fail(job.message.message_id, error)
        else:
            outcomes.done.add(job.message.message_id)


def _place(field_name: str, uri: str, root: str | None) -> tuple[Storage, str]:
    if root is None:
        variable = {"resultsUri": "RESULTS_ROOT", "candlesUri": "CANDLES_ROOT"}[field_name]
        raise RequestError(Fault(f"/{field_name}", f"is refused, because {variable} does not say where it may point"))
    try:
        return resolve(uri, root)
    except Forbidden as error:
        raise RequestError(Fault(f"/{field_name}", str(error))) from None
