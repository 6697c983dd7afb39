"""For how long the queue has been empty."""

import threading
import time


class IdleTimer:
    """Begins with a call that waited for a message in vain, ends with work or with a queue that does not answer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    def begin(self, since: float) -> None:
        """As of a moment of `time.monotonic`, unless it began before."""
        with self._lock:
            if self._since is None:
                self._since = since

    def end(self) -> None:
        with self._lock:
            self._since = None

    @property
    def lasted_s(self) -> float:
        """0 where there is no idleness."""
        with self._lock:
            return 0.0 if self._since is None else time.monotonic() - self._since
