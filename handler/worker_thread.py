"""One thread of the worker: it receives messages, processes them, and deletes them or returns them to the queue, batch after batch."""

import math
import threading
import time
from collections.abc import Callable, Sequence

from coinfarm.aws.sqs import Queue, QueueMessage
from coinfarm.errors import InvalidInput, NotFound, StorageError, TooLarge, Unavailable
from coinfarm.serving.service import Service
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.isolation import split_batches
from handler.jobs import Message
from handler.message_batch import MessageOutcomes, OutOfTime, process_messages
from handler.telemetry import count, logger
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings

_INITIAL_RETRY_S, _MAX_RETRY_S = 30, 900
_INITIAL_PAUSE_S, _MAX_PAUSE_S = 1.0, 30.0
_MAX_FAILED_BATCHES = 2
"""Low, so that a broken worker that is the only consumer of a small queue does not move good messages to the dead-letter queue."""

_PERMANENT_ERRORS = (InvalidInput, TooLarge)
"""Caused by the message: neither a retry nor another worker would succeed."""
_STORAGE_ERRORS = (Unavailable, NotFound)
"""Caused by the storage: a retry may succeed, here or elsewhere."""


class WorkerThread(threading.Thread):
    """Runs until the shutdown starts, and starts it itself if every message fails on this machine.

    Several threads keep a device busy: while it predicts for one, the others fetch and render candles.
    """

    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        service: Service,
        queue: Queue,
        visibility: VisibilityExtender,
        idle_timer: IdleTimer,
        drain: Drain,
        count_messages: Callable[[str, int], None] = lambda _outcome, _messages: None,
    ) -> None:
        """`count_messages(outcome, messages)` is called for messages that are done, failed or retried."""
        super().__init__(name=name, daemon=True)  # a stuck thread must not keep the process alive
        self._settings = settings
        self._service = service
        self._queue = queue
        self._visibility = visibility
        self._idle_timer = idle_timer
        self._drain = drain
        self._count_messages = count_messages
        self._pause_s = 0.0
        self._failed_batches = 0
        self._last_active = time.monotonic()

    @property
    def inactive_s(self) -> float:
        """Seconds since the thread last called the queue to receive, or the engine."""
        return time.monotonic() - self._last_active

    def run(self) -> None:
        while not self._drain.wait(self._pause_s):
            self._last_active = time.monotonic()
            messages = self._receive()
            for batch in split_batches(messages):
                if not self._drain.is_started:
                    self._process(batch)
                else:
                    self._delete_or_return({0: batch})

    def _receive(self) -> list[QueueMessage]:
        started = time.monotonic()
        settings = self._settings
        try:
            messages = self._queue.receive(settings.batch_messages, self._wait_s(), settings.visibility_timeout_s)
        except StorageError as error:
            self._back_off()
            self._idle_timer.reset()
            logger.warning("no messages could be received", extra={"reason": str(error), "retry_s": self._pause_s})
            return []
        self._pause_s = 0.0
        if messages:
            self._visibility.add(messages)
            self._idle_timer.reset()
        else:
            self._idle_timer.start(started)
        return messages

    def _wait_s(self) -> int:
        """How long to wait for a message: at most the remaining idle time, because a receive call cannot be cancelled."""
        settings = self._settings
        if settings.idle_exit_s is None:
            return settings.receive_wait_s
        return min(settings.receive_wait_s, max(1, math.ceil(settings.idle_exit_s - self._idle_timer.idle_s)))

    def _process(self, batch: Sequence[QueueMessage]) -> None:
        started = time.monotonic()
        messages = [Message(message.message_id, message.body, message.receive_count) for message in batch]
        outcomes = process_messages(messages, self._service, self._before_engine_call)
        self._delete_or_return(_by_delay(batch, outcomes))
        self._check_health(outcomes)
        count("MessagesProcessed", len(outcomes.done))
        invalid = sum(isinstance(error, _PERMANENT_ERRORS) for error in outcomes.failures.values())
        for outcome, messages_count in {"done": len(outcomes.done), "failed": invalid, "retried": len(outcomes.failures) - invalid}.items():
            self._count_messages(outcome, messages_count)
        logger.info(
            "batch processed",
            extra={
                "done": len(outcomes.done),
                "redelivered": sum(message.receive_count > 1 for message in batch if message.message_id in outcomes.done),
                "failed": len(outcomes.failures),
                "seconds": round(time.monotonic() - started, 3),
            },
        )

    def _before_engine_call(self) -> None:
        self._last_active = time.monotonic()
        self._drain.check()

    def _delete_or_return(self, by_delay: "dict[int | None, list[QueueMessage]]") -> None:
        """Delete the messages under None; make the messages under a number visible again after that many seconds."""
        for delay_s, messages in by_delay.items():
            self._visibility.remove(messages)
            receipts = [message.receipt for message in messages]
            try:
                lost = self._queue.delete(receipts) if delay_s is None else self._queue.change_visibility(receipts, delay_s)
            except StorageError as error:
                lost = {"": str(error)}
            if lost:  # harmless: processing a message twice gives the same result
                logger.warning(
                    "messages could not be deleted or returned, and will be redelivered", extra={"reasons": sorted(set(lost.values()))}
                )

    def _check_health(self, outcomes: MessageOutcomes) -> None:
        """Back off if nothing can be read or written; shut down if every message fails, so that other workers process them."""
        reasons = [error for error in outcomes.failures.values() if not isinstance(error, (OutOfTime, *_PERMANENT_ERRORS))]
        if outcomes.done or not reasons:
            self._failed_batches = 0
            return
        self._back_off()
        if all(isinstance(error, _STORAGE_ERRORS) for error in reasons):
            return
        self._failed_batches += 1
        if self._failed_batches >= _MAX_FAILED_BATCHES and self._drain.start(is_failure=True):
            logger.error("every message fails", extra={"reason": str(reasons[0])})

    def _back_off(self) -> None:
        self._pause_s = min(max(2 * self._pause_s, _INITIAL_PAUSE_S), _MAX_PAUSE_S)


def retry_delay_s(error: Exception, receive_count: int) -> int:
    """The delay before a failed message becomes visible again: 0 if the message is invalid (it soon reaches the dead-letter queue) or the
    worker is shutting down; otherwise it doubles with every delivery.
    """
    if isinstance(error, (OutOfTime, *_PERMANENT_ERRORS)):
        return 0
    return int(min(_INITIAL_RETRY_S * 2 ** (receive_count - 1), _MAX_RETRY_S))


def _by_delay(batch: Sequence[QueueMessage], outcomes: MessageOutcomes) -> dict[int | None, list[QueueMessage]]:
    """The messages by their delay before redelivery; under None, the processed messages."""
    found: dict[int | None, list[QueueMessage]] = {}
    for message in batch:
        error = outcomes.failures.get(message.message_id)
        found.setdefault(None if error is None else retry_delay_s(error, message.receive_count), []).append(message)
    return found
