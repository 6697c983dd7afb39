"""Measures how long the queue has been empty."""

import threading
import time


class IdleTimer:
    """Starts when a receive call returns no message; resets when work arrives or the queue cannot be reached. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    def start(self, since: float) -> None:
        """Start at a moment of `time.monotonic`, unless the timer is already running."""
        with self._lock:
            if self._since is None:
                self._since = since

    def reset(self) -> None:
        with self._lock:
            self._since = None

    @property
    def idle_s(self) -> float:
        """0 while the timer is not running."""
        with self._lock:
            return 0.0 if self._since is None else time.monotonic() - self._since
