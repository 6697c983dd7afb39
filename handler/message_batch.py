"""Processes SQS messages: shards of a backfill, and requests whose responses are written to a file. Lambda and the worker share it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from coinfarm.backfill.job_runner import Job, run_jobs
from coinfarm.errors import CoinfarmError
from coinfarm.serving.service import Service
from handler.isolation import split_batches
from handler.jobs import Message, MessageReader
from handler.problems import problem
from handler.telemetry import count, count_model_error, logger, record_prediction_metrics
from handler.uploads import single_uploads

TIME_RESERVE_MS = 10_000
"""With less time left in an invocation, no further batch is started. One batch and its writes take less."""


class OutOfTime(Exception):
    """Too little time is left; the remaining messages return to the queue."""


@dataclass
class MessageOutcomes:
    """The outcome of each message by its id: `done` once its result is written, or the error in `failures`."""

    failures: dict[str, Exception] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def fail(self, message_id: str, error: Exception) -> None:
        """Log and count the failure. The message returns to the queue, and after too many failures to the dead-letter queue."""
        self.failures[message_id] = error
        if isinstance(error, OutOfTime):
            logger.info("message returned to the queue", extra={"message_id": message_id, "reason": str(error)})
            return
        count("FailedMessages")
        if isinstance(error, CoinfarmError):
            logger.warning("message failed", extra={"message_id": message_id, "problem": problem(error)})
        else:
            logger.error("message failed", extra={"message_id": message_id}, exc_info=error)

    def update(self, others: "MessageOutcomes") -> None:
        """Add the outcomes of other messages."""
        self.failures |= others.failures
        self.done |= others.done

    def record(self, message: Message, error: Exception | None) -> None:
        """Mark a message as done, or as failed if there is an error."""
        if error is None:
            self.done.add(message.message_id)
        else:
            self.fail(message.message_id, error)

    def fail_remaining(self, messages: Sequence[Message], error: Exception) -> None:
        """Fail all messages that have no outcome yet."""
        for message in messages:
            if message.message_id not in self.done | self.failures.keys():
                self.fail(message.message_id, error)


def handle(event: dict[str, Any], context: Any, service: Service) -> Any:
    """Process an SQS event and return the partial batch response, which lists only the records that failed."""
    messages = [Message(record["messageId"], record.get("body"), _receive_count(record)) for record in event["Records"]]
    outcomes = MessageOutcomes()
    for batch in split_batches(messages):
        outcomes.update(process_messages(batch, service, _time_check(context)))

    def raise_failure(record: SQSRecord) -> None:
        if record.message_id not in outcomes.done:
            raise outcomes.failures[record.message_id]

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, raise_failure, processor, context)


def handle_uploads(event: dict[str, Any], context: Any, service: Service) -> dict[str, Any]:
    """Predict the files that were uploaded to S3, as if the event were a message. Raises the first error after all files are processed."""
    messages = [Message(str(number), json.dumps(single)) for number, single in enumerate(single_uploads(event))]
    outcomes = process_messages(messages, service, _time_check(context))
    for error in outcomes.failures.values():
        raise error
    return {"files": len(messages)}


def _time_check(context: Any) -> Callable[[], None]:
    def check_time_left() -> None:
        if context.get_remaining_time_in_millis() < TIME_RESERVE_MS:
            raise OutOfTime("too little time is left in this invocation")

    return check_time_left


def _receive_count(record: dict[str, Any]) -> int:
    try:
        return int(record["attributes"]["ApproximateReceiveCount"])
    except (KeyError, TypeError, ValueError):  # a hand-written event
        return 1


def process_messages(messages: Sequence[Message], service: Service, before_batch: Callable[[], None]) -> MessageOutcomes:
    """Run the jobs of the messages. Messages of one model version share the engine's batches; a failed message does not fail the others.

    `before_batch` is called before each call of the engine; if it raises, the remaining messages fail with that error.
    """
    outcomes = MessageOutcomes()
    reader = MessageReader(service.settings)
    by_version: dict[str | None, list[tuple[Message, Job]]] = {}
    for message in {message.message_id: message for message in messages}.values():
        try:
            version, job = reader.job(message)
        except Exception as error:  # noqa: BLE001 - an invalid message must not fail the others
            outcomes.fail(message.message_id, error)
        else:
            by_version.setdefault(version, []).append((message, job))
    for version, jobs in by_version.items():
        try:
            predictor = service.predictor(version, before_batch=before_batch, use_cache=False)
            try:
                run_jobs(jobs, predictor, outcomes.record)
            finally:
                record_prediction_metrics(predictor)
        except Exception as error:  # noqa: BLE001 - whatever the error, the messages must return to the queue
            count_model_error(error)
            outcomes.fail_remaining([message for message, _ in jobs], error)
    return outcomes
