"""When the candles of a symbol are asked for by REST."""

import time

from coinfarm.live.exchange_clock import ExchangeClock
from coinfarm.live.live_series import LiveSeries

_POLL_DELAY_S = 0.25
"""After a candle's close, if there is no stream."""
_STREAM_GRACE_S = 1.0
"""How long after its close a stream may take to deliver a candle."""
_PAUSES_S = (0.25, 0.5, 1, 2, 4, 8, 15)
"""Between one answer and the next request for the same candle."""
_REREAD_MS = 10_000
"""How long after its close a candle of a stream is compared with that of REST."""


class FetchSchedule:
    """One symbol's requests: at once if candles may have been missed, after a candle's close, and to read it again."""

    def __init__(self, series: LiveSeries, step_ms: int, clock: ExchangeClock) -> None:
        self.series = series
        self._step_ms = step_ms
        self._clock = clock
        self._is_waiting = False
        self._is_urgent = True
        self._requests = 0
        """Since the last stored candle."""
        self._answered_at = 0.0
        self._reread_ms: int | None = None
        self._begun_ms = 0

    def due_at(self, *, is_streaming: bool) -> float | None:
        """The time of the next request, as of `time.monotonic`; None while one is not answered."""
        if self._is_waiting:
            return None
        next_ms = self.series.next_ms
        again = self._answered_at + _PAUSES_S[min(self._requests, len(_PAUSES_S)) - 1] if self._requests else 0.0
        if self._is_urgent or next_ms is None or self.series.has_gap or self._begun_ms >= next_ms + self._step_ms:
            return again
        closed_at = self._clock.monotonic_at(next_ms + self._step_ms)
        due_at = max(again, closed_at + (_STREAM_GRACE_S if is_streaming else _POLL_DELAY_S))
        if is_streaming and self._reread_ms != next_ms:
            return min(due_at, self._clock.monotonic_at(next_ms + _REREAD_MS))
        return due_at

    def note_request(self) -> None:
        self._is_waiting, self._is_urgent = True, False
        self._requests += 1
        self._reread_ms = self.series.next_ms

    def note_answer(self) -> None:
        self._is_waiting = False
        self._answered_at = time.monotonic()

    def note_stored(self) -> None:
        """Note that candles of the series were stored."""
        self._requests = 0

    def note_begun(self, open_time: int) -> None:
        """Note that the exchange has a candle that opens then."""
        self._begun_ms = max(self._begun_ms, open_time)

    def ask_now(self) -> None:
        """Candles may have been missed."""
        self._requests, self._is_urgent = 0, True
