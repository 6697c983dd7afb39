"""Messages of the queue: shards of a backfill, and requests whose answers are written to a file. Lambda and the worker share it."""

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
from handler.telemetry import count, count_model_error, count_work, logger

TIME_RESERVE_MS = 10_000
"""What is left of an invocation when no further batch is begun: one batch and its writes take less."""


class OutOfTime(Exception):
    """The rest of the batch is given back to the queue."""


@dataclass
class MessageOutcomes:
    """What became of each message: done once its answer is written, or the reason why not."""

    failures: dict[str, Exception] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def fail(self, message_id: str, error: Exception) -> None:
        """Log and count the failure; the message goes back to the queue, and in the end to the dead letters."""
        self.failures[message_id] = error
        if isinstance(error, OutOfTime):
            logger.info("record given back", extra={"message_id": message_id, "reason": str(error)})
            return
        count("FailedRecords")
        if isinstance(error, CoinfarmError):
            logger.warning("record failed", extra={"message_id": message_id, "problem": problem(error)})
        else:
            logger.error("record failed", extra={"message_id": message_id}, exc_info=error)

    def add(self, others: "MessageOutcomes") -> None:
        """What became of other messages."""
        self.failures |= others.failures
        self.done |= others.done

    def settle(self, message: Message, error: Exception | None) -> None:
        """Done, or failed."""
        if error is None:
            self.done.add(message.message_id)
        else:
            self.fail(message.message_id, error)

    def give_back(self, messages: Sequence[Message], error: Exception) -> None:
        """All that is neither done nor failed."""
        for message in messages:
            if message.message_id not in self.done | self.failures.keys():
                self.fail(message.message_id, error)


def handle(event: dict[str, Any], context: Any, service: Service) -> Any:
    """Answer one event of SQS with the partial batch response: only the records that failed come back."""
    messages = [Message(record["messageId"], record.get("body"), _receive_count(record)) for record in event["Records"]]

    def time_left() -> None:
        if context.get_remaining_time_in_millis() < TIME_RESERVE_MS:
            raise OutOfTime("too little time is left in this invocation")

    outcomes = MessageOutcomes()
    for turn in split_batches(messages):
        outcomes.add(process_messages(turn, service, time_left))

    def settle(record: SQSRecord) -> None:
        if record.message_id not in outcomes.done:
            raise outcomes.failures[record.message_id]

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, settle, processor, context)


def _receive_count(record: dict[str, Any]) -> int:
    try:
        return int(record["attributes"]["ApproximateReceiveCount"])
    except (KeyError, TypeError, ValueError):  # an event that SQS did not make
        return 1


def process_messages(messages: Sequence[Message], service: Service, before_batch: Callable[[], None]) -> MessageOutcomes:
    """Do what the messages ask for. Those of one model version share the engine's batches; none fails another.

    `before_batch` is called before each call of the engine; what it raises gives the rest back.
    """
    outcomes = MessageOutcomes()
    reader = MessageReader(service.settings)
    by_version: dict[str | None, list[tuple[Message, Job]]] = {}
    for message in {message.message_id: message for message in messages}.values():
        try:
            version, job = reader.job(message)
        except Exception as error:  # noqa: BLE001 - what is wrong with one message is no fault of its neighbours
            outcomes.fail(message.message_id, error)
        else:
            by_version.setdefault(version, []).append((message, job))
    for version, jobs in by_version.items():
        try:
            predictor = service.predictor(version, before_batch=before_batch, remembers=False)
            try:
                run_jobs(jobs, predictor, outcomes.settle)
            finally:
                count_work(predictor)
        except Exception as error:  # noqa: BLE001 - whatever it was, the messages must go back
            count_model_error(error)
            outcomes.give_back([message for message, _ in jobs], error)
    return outcomes
