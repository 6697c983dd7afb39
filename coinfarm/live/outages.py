"""Waiting for an exchange that does not respond, for as long as it takes."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from coinfarm.reports.formatting import duration_text

_MIN_REPORTED_WAIT_S = 2
"""A single failure, which is repeated after a second, is not worth a message."""

_LONG_WAIT_S = 60


class Stopped(Exception):
    """The wait was ended, because the program ends."""


class Outages:
    """Says since when an exchange does not respond, and when it does again. `notice` is called in any thread."""

    def __init__(self, exchange: str, notice: Callable[[str], None]) -> None:
        self._exchange = exchange
        self.notice = notice
        self._since_s: float | None = None
        self._is_reported = False
        self._stopped = threading.Event()

    def wait(self, seconds: float, reason: str) -> None:
        """Wait before the next attempt. Raises `Stopped` after `stop`."""
        if self._since_s is None:
            self._since_s = time.time()
        if not self._is_reported and seconds >= _MIN_REPORTED_WAIT_S:
            self._is_reported = True
            since = datetime.fromtimestamp(self._since_s, UTC).strftime("%H:%M:%S")
            pause = f", next in {duration_text(seconds)}" if seconds > _LONG_WAIT_S else ""
            self.notice(f"{self._exchange} does not respond since {since} UTC ({reason}); it is asked again until it does{pause}")
        if self._stopped.wait(seconds):
            raise Stopped

    def note_response(self) -> None:
        """Note that the exchange has responded."""
        if self._is_reported and self._since_s is not None:
            self.notice(f"{self._exchange} responds again after {duration_text(time.time() - self._since_s)}")
        self._since_s, self._is_reported = None, False

    def stop(self) -> None:
        """End all waits, of any thread."""
        self._stopped.set()
