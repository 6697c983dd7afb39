"""Extends the visibility timeout of the messages that a worker is processing."""

import threading
from collections.abc import Sequence

from coinfarm.aws.sqs import Queue, QueueMessage
from coinfarm.errors import StorageError
from handler.telemetry import logger


class VisibilityExtender:
    """Extends the visibility timeout of the messages in flight of this worker. Thread-safe."""

    def __init__(self, queue: Queue, visibility_timeout_s: int) -> None:
        self._queue = queue
        self._visibility_timeout_s = visibility_timeout_s
        self._receipts: set[str] = set()
        # Held during the call to SQS too: a message that was just released must not have its timeout extended.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._receipts)

    def add(self, messages: Sequence[QueueMessage]) -> None:
        with self._lock:
            self._receipts.update(message.receipt for message in messages)

    def remove(self, messages: Sequence[QueueMessage]) -> None:
        """Stop extending the timeout of these messages."""
        with self._lock:
            self._receipts.difference_update(message.receipt for message in messages)

    def extend_all(self) -> None:
        """Restart the visibility timeout of every message."""
        self._change_timeout(self._visibility_timeout_s)

    def release_all(self) -> None:
        """Make every message visible to other consumers at once."""
        self._change_timeout(0)

    def _change_timeout(self, visibility_timeout_s: int) -> None:
        with self._lock:
            try:
                lost = self._queue.change_visibility(sorted(self._receipts), visibility_timeout_s)
            except StorageError as error:
                logger.warning("visibility timeout could not be changed", extra={"reason": str(error)})
                return
            self._receipts.difference_update(lost)
        if lost:
            logger.warning("messages are no longer in flight at this worker", extra={"reasons": sorted(set(lost.values()))})
