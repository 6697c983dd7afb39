"""One pair of hands of a worker: it receives, works and settles, turn after turn."""

import math
import threading
import time
from collections.abc import Sequence

from coinfarm.aws.sqs import Queue, QueueMessage
from coinfarm.errors import NotFound, RequestError, StorageError, TooLarge, Unavailable
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
_MAX_SICK_TURNS = 2
"""So few that the lanes of a sick worker, alone at a small queue, do not make dead letters of good messages."""

_OF_THE_MESSAGE = (RequestError, TooLarge)
"""What no other try, and no other worker, would do better."""
_OF_THE_STORAGE = (Unavailable, NotFound)
"""What another try may do better, here as well as elsewhere."""


class WorkerThread(threading.Thread):
    """Runs until the drain has begun, and begins it itself where this machine can do no work.

    Several of them keep a device busy: while it works for one, the candles of another are fetched and drawn.
    """

    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        service: Service,
        queue: Queue,
        held: VisibilityExtender,
        idleness: IdleTimer,
        drain: Drain,
    ) -> None:
        super().__init__(name=name, daemon=True)  # one that is stuck must not keep the process alive
        self._settings = settings
        self._service = service
        self._queue = queue
        self._held = held
        self._idleness = idleness
        self._drain = drain
        self._pause_s = 0.0
        self._sick_turns = 0
        self._heard_at = time.monotonic()

    @property
    def silent_s(self) -> float:
        """Since it last received, or called the engine."""
        return time.monotonic() - self._heard_at

    def run(self) -> None:
        while not self._drain.wait(self._pause_s):
            self._heard_at = time.monotonic()
            messages = self._receive()
            for turn in split_batches(messages):
                if not self._drain.begun:
                    self._work(turn)
                else:
                    self._settle({0: turn})

    def _receive(self) -> list[QueueMessage]:
        asked_at = time.monotonic()
        settings = self._settings
        try:
            messages = self._queue.receive(settings.batch_messages, self._wait_s(), settings.visibility_timeout_s)
        except StorageError as error:
            self._slow_down()
            self._idleness.end()
            logger.warning("no messages could be received", extra={"reason": str(error), "next_try_s": self._pause_s})
            return []
        self._pause_s = 0.0
        if messages:
            self._held.take(messages)
            self._idleness.end()
        else:
            self._idleness.begin(asked_at)
        return messages

    def _wait_s(self) -> int:
        """How long to wait for a message: no longer than the worker may still be idle, for a call that waits cannot be ended."""
        settings = self._settings
        if settings.idle_exit_s is None:
            return settings.receive_wait_s
        return min(settings.receive_wait_s, max(1, math.ceil(settings.idle_exit_s - self._idleness.lasted_s)))

    def _work(self, turn: Sequence[QueueMessage]) -> None:
        started = time.monotonic()
        outcomes = process_messages([Message(message.message_id, message.body) for message in turn], self._service, self._before_batch)
        self._settle(_by_delay(turn, outcomes))
        self._judge(outcomes)
        count("ShardsDone", len(outcomes.done))
        logger.info(
            "batch processed",
            extra={
                "done": len(outcomes.done),
                "redelivered": sum(message.receive_count > 1 for message in turn if message.message_id in outcomes.done),
                "not_done": len(outcomes.failures),
                "seconds": round(time.monotonic() - started, 3),
            },
        )

    def _before_batch(self) -> None:
        self._heard_at = time.monotonic()
        self._drain.check()

    def _settle(self, by_delay: "dict[int | None, list[QueueMessage]]") -> None:
        """Delete the messages under None, and let others have those under a number in so many seconds."""
        for delay_s, messages in by_delay.items():
            self._held.let_go(messages)
            receipts = [message.receipt for message in messages]
            try:
                lost = self._queue.delete(receipts) if delay_s is None else self._queue.extend(receipts, delay_s)
            except StorageError as error:
                lost = {"": str(error)}
            if lost:  # no harm: what is done twice is the same
                logger.warning("messages could not be settled and will come again", extra={"reasons": sorted(set(lost.values()))})

    def _judge(self, outcomes: MessageOutcomes) -> None:
        """Slow down where nothing can be fetched or written, and end a worker that fails at all it does: others shall do it."""
        reasons = [error for error in outcomes.failures.values() if not isinstance(error, (OutOfTime, *_OF_THE_MESSAGE))]
        if outcomes.done or not reasons:
            self._sick_turns = 0
            return
        self._slow_down()
        if all(isinstance(error, _OF_THE_STORAGE) for error in reasons):
            return
        self._sick_turns += 1
        if self._sick_turns >= _MAX_SICK_TURNS and self._drain.begin(is_failure=True):
            logger.error("worker fails at every message", extra={"reason": str(reasons[0])})

    def _slow_down(self) -> None:
        self._pause_s = min(max(2 * self._pause_s, _INITIAL_PAUSE_S), _MAX_PAUSE_S)


def retry_delay_s(error: Exception, receive_count: int) -> int:
    """When a failed message shall be seen again: at once where it is at fault, and soon a dead letter; else later each time."""
    if isinstance(error, (OutOfTime, *_OF_THE_MESSAGE)):
        return 0
    return int(min(_INITIAL_RETRY_S * 2 ** (receive_count - 1), _MAX_RETRY_S))


def _by_delay(turn: Sequence[QueueMessage], outcomes: MessageOutcomes) -> dict[int | None, list[QueueMessage]]:
    found: dict[int | None, list[QueueMessage]] = {}
    for message in turn:
        error = outcomes.failures.get(message.message_id)
        found.setdefault(None if error is None else retry_delay_s(error, message.receive_count), []).append(message)
    return found
