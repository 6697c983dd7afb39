"""Sends predictions elsewhere, in a thread of its own: an endpoint that is slow or fails delays no prediction."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.reports.formatting import plural_text

_MAX_WAITING = 1000
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.5, 15.0
_CLOSE_TIMEOUT_S = 5.0

Messages = Sequence[dict[str, Any]]


class _Waiting(NamedTuple):
    message: dict[str, Any]
    expires_at: float


class Delivery:
    """Sends predictions in order, each at most once, and only while they are worth something: until the next candle has closed.

    After an error the same predictions are sent again until then; those that are too late, as after a gap, are dropped and counted.
    """

    def __init__(self, name: str, send: Callable[[Messages], None], notice: Callable[[str], None], max_messages: int = 1) -> None:
        """`send` takes at most `max_messages`, and raises `Unavailable` if a retry may succeed, or another `CoinfarmError`."""
        self._name = name
        self._send = send
        self._notice = notice
        self._max_messages = max_messages
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_failing = False
        self.sent = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def show(self, messages: Messages) -> None:
        """Queue the predictions among the messages."""
        now = time.monotonic()
        with self._changed:
            for message in messages:
                if message["predictions"] is None:
                    continue
                age_ms = message["predictedAt"] - message["closeTime"]
                self._waiting.append(_Waiting(message, now + (interval_ms(message["interval"]) - age_ms) / 1000))
            while len(self._waiting) > _MAX_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._changed.notify()

    def notice(self, text: str) -> None:
        """Notices are not sent."""

    def close(self) -> None:
        """Send what is waiting, as far as it takes a few seconds, and say what was sent."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_TIMEOUT_S)
        dropped = self.dropped + len(self._waiting)
        self._notice(f"{self._name}: {plural_text(self.sent, 'prediction')} sent, {dropped:,} dropped")

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while batch := self._next():
            try:
                self._send([each.message for each in batch])
            except Unavailable as error:
                self._report(error)
                with self._changed:
                    self._waiting.extendleft(reversed(batch))
                    if self._is_closing:
                        return
                    self._changed.wait_for(lambda: self._is_closing, pause_s)
                pause_s = min(2 * pause_s, _MAX_PAUSE_S)
            except CoinfarmError as error:
                self._report(error)
                self.dropped += len(batch)
            else:
                pause_s = _FIRST_PAUSE_S
                self.sent += len(batch)
                if self._is_failing:
                    self._is_failing = False
                    self._notice(f"{self._name}: predictions are accepted again; {self.dropped:,} were dropped so far")

    def _next(self) -> list[_Waiting]:
        """The next ones to send, once there are any; none at the end."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                now = time.monotonic()
                batch = list[_Waiting]()
                while self._waiting and len(batch) < self._max_messages:
                    each = self._waiting.popleft()
                    if each.expires_at > now:
                        batch.append(each)
                    else:
                        self.dropped += 1
                if batch or self._is_closing:
                    return batch

    def _report(self, error: CoinfarmError) -> None:
        """Once, until it works again."""
        if not self._is_failing:
            self._is_failing = True
            self._notice(f"{self._name}: {error}; predictions that are not accepted before the next candle closes are dropped")
