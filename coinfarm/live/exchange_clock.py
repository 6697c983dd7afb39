"""The exchange's clock, without asking the exchange each time."""

import time
from collections.abc import Callable
from typing import NamedTuple

_MAX_ROUND_TRIP_S = 1.0
"""An answer that took longer tells the time too inexactly."""


class _Reading(NamedTuple):
    exchange_ms: float
    monotonic_s: float
    local_ms: float


class ExchangeClock:
    """The exchange's time, whatever the local clock says, and although that may be changed.

    `speed` is how much faster the exchange's clock runs than time passes, for replays. Thread-safe.
    """

    def __init__(self, exchange_now_ms: Callable[[], int], speed: float = 1.0) -> None:
        self._exchange_now_ms = exchange_now_ms
        self._speed = speed
        self._reading = self._read()

    def synchronise(self) -> None:
        """Ask the exchange for the time. An answer that takes long is ignored."""
        started = time.monotonic()
        reading = self._read()
        if time.monotonic() - started <= _MAX_ROUND_TRIP_S:
            self._reading = reading

    def now_ms(self) -> int:
        """The time at the exchange, in milliseconds UTC."""
        exchange_ms, monotonic_s, _ = self._reading
        return int(exchange_ms + (time.monotonic() - monotonic_s) * 1000 * self._speed)

    def monotonic_at(self, time_ms: int) -> float:
        """The value of `time.monotonic` when the exchange's clock shows `time_ms`."""
        exchange_ms, monotonic_s, _ = self._reading
        return monotonic_s + (time_ms - exchange_ms) / 1000 / self._speed

    @property
    def skew_s(self) -> float:
        """How far the local clock was ahead at the last reading, in seconds."""
        return (self._reading.local_ms - self._reading.exchange_ms) / 1000

    def _read(self) -> _Reading:
        before = time.monotonic()
        exchange_ms = self._exchange_now_ms()
        after = time.monotonic()
        middle = (before + after) / 2
        return _Reading(exchange_ms, middle, (time.time() - (after - middle)) * 1000)
