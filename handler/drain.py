"""The end of a worker: asked for by a signal, a notice or an empty queue, and over within a grace."""

import threading
import time

from handler.message_batch import OutOfTime


class Drain:
    """Once begun, nothing new is received; what is in work may go on until the grace is over. Thread-safe."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._begun = threading.Event()
        self._lock = threading.Lock()
        self._deadline = float("inf")
        self.is_failure = False

    def begin(self, *, is_failure: bool = False) -> bool:
        """Start to end, and with a failure if it is one; False where it had been begun before."""
        with self._lock:
            if self._begun.is_set():
                return False
            self._deadline = time.monotonic() + self._grace_s
            self.is_failure = is_failure
            self._begun.set()
            return True

    def hurry(self) -> None:
        """Let the grace be over now."""
        self._deadline = time.monotonic()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    @property
    def left_s(self) -> float:
        """What is left of the grace, negative beyond it; endless while nothing was begun."""
        return self._deadline - time.monotonic()

    def wait(self, max_s: float) -> bool:
        """Until it has begun, but no longer; whether it has."""
        return self._begun.wait(max_s)

    def check(self) -> None:
        """Raise `OutOfTime` once the grace is over."""
        if self.left_s <= 0:
            raise OutOfTime("the worker is about to end")
