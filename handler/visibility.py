"""The messages that a worker holds: hidden from others, again and again, until they are settled."""

import threading
from collections.abc import Sequence

from coinfarm.aws.sqs import Queue, QueueMessage
from coinfarm.errors import StorageError
from handler.telemetry import logger


class VisibilityExtender:
    """Thread-safe."""

    def __init__(self, queue: Queue, visibility_timeout_s: int) -> None:
        self._queue = queue
        self._hidden_s = visibility_timeout_s
        self._receipts: set[str] = set()
        # VisibilityExtender while the queue is told of a change: a message that was just given back must not be hidden again.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._receipts)

    def take(self, messages: Sequence[QueueMessage]) -> None:
        with self._lock:
            self._receipts.update(message.receipt for message in messages)

    def let_go(self, messages: Sequence[QueueMessage]) -> None:
        """From now on they are hidden for no longer than they are."""
        with self._lock:
            self._receipts.difference_update(message.receipt for message in messages)

    def hide_on(self) -> None:
        """Hide all of them for `visibility_timeout_s` from now on."""
        self._change(self._hidden_s)

    def give_back(self) -> None:
        """Let others have all of them at once."""
        self._change(0)

    def _change(self, visibility_timeout_s: int) -> None:
        with self._lock:
            try:
                lost = self._queue.extend(sorted(self._receipts), visibility_timeout_s)
            except StorageError as error:
                logger.warning("messages could not be kept hidden", extra={"reason": str(error)})
                return
            self._receipts.difference_update(lost)
        if lost:
            logger.warning("messages are no longer held by this worker", extra={"reasons": sorted(set(lost.values()))})
