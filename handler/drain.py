"""Graceful shutdown of a worker, after a signal, an interruption notice or an empty queue."""

import threading
import time

from handler.message_batch import OutOfTime


class Drain:
    """Once started, no new messages are received; work in progress may continue for `grace_s` seconds. Thread-safe."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._started = threading.Event()
        self._lock = threading.Lock()
        self._deadline = float("inf")
        self.is_failure = False

    def start(self, *, is_failure: bool = False) -> bool:
        """Start the shutdown; return False if it was started before. With `is_failure` the worker exits with an error."""
        with self._lock:
            if self._started.is_set():
                return False
            self._deadline = time.monotonic() + self._grace_s
            self.is_failure = is_failure
            self._started.set()
            return True

    def expire(self) -> None:
        """End the grace period now."""
        self._deadline = time.monotonic()

    @property
    def is_started(self) -> bool:
        return self._started.is_set()

    @property
    def remaining_s(self) -> float:
        """Seconds left of the grace period: negative after its end, infinite before the start."""
        return self._deadline - time.monotonic()

    def wait(self, max_s: float) -> bool:
        """Wait for the start for at most `max_s` seconds; return whether the shutdown has started."""
        return self._started.wait(max_s)

    def check(self) -> None:
        """Raise `OutOfTime` if the grace period is over."""
        if self.remaining_s <= 0:
            raise OutOfTime("the worker is shutting down")
