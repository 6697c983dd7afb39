"""One symbol's series while it grows: its last stored candles, and the closed ones that follow them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.filled_windows import MAX_FILLED_IN_A_ROW
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import interval_ms
from coinfarm.live.exchange_rows import ClosedCandles
from image_render.spec import STANDARD
from image_render.windows import Columns

CONTEXT_CANDLES = STANDARD.window_candles - 1
"""The candles before a new one that its window contains."""
FIRST_CANDLES = STANDARD.window_candles + MAX_FILLED_IN_A_ROW
"""What a new series begins with: enough for a prediction although a few candles are missing."""
MAX_CATCH_UP_CANDLES = 10_000
"""The longest gap that is filled, a week of minutes; after a longer one the series begins again."""
REREAD_CANDLES = 5
"""How many stored candles are read again with every request, because exchanges correct candles after the fact."""


class LiveSeries:
    """The last stored candles of a symbol, `tail`, and closed ones that are not stored yet.

    `tail` has no gaps and at most `CONTEXT_CANDLES` candles. What is ready to be stored follows it without a gap: candles that the exchange
    does not have are filled as `fill_gaps` does, as soon as they are known to be missing.
    """

    def __init__(self, tail: Candles) -> None:
        self.symbol, self.interval = tail.symbol, tail.interval
        self.tail = tail
        self._step_ms = interval_ms(tail.interval)
        self._waiting: dict[int, Candles] = {}
        self._known_to_ms = 0

    @property
    def next_ms(self) -> int | None:
        """When the next candle to store opens; None if the series has not begun."""
        return int(self.tail.open_time[-1]) + self._step_ms if len(self.tail) else None

    @property
    def has_gap(self) -> bool:
        """Whether closed candles are known that cannot be stored yet, because one before them is missing."""
        return bool(self._waiting) and not self.is_ready

    @property
    def is_ready(self) -> bool:
        """Whether there is a candle to store."""
        return self._start_ms is not None and self._stop_ms(self._start_ms) > self._start_ms

    def begin_again_if_outdated(self, now_ms: int) -> bool:
        """Forget the stored candles if the gap since then is too long; whether it was."""
        is_outdated = self.next_ms is not None and self.next_ms < now_ms - MAX_CATCH_UP_CANDLES * self._step_ms
        if is_outdated:
            self.tail, self._waiting, self._known_to_ms = self.tail[:0], {}, 0
        return is_outdated

    def fetch_from_ms(self, now_ms: int) -> int:
        """From when on candles must be fetched: those that are not stored, and the last stored ones, which may have been corrected."""
        if self.next_ms is None:
            return now_ms // self._step_ms * self._step_ms - FIRST_CANDLES * self._step_ms
        return self.next_ms - min(REREAD_CANDLES, len(self.tail)) * self._step_ms

    def add_closed(self, candles: Candles) -> None:
        """Add candles of a stream. Those that are stored already are ignored."""
        for at, time in enumerate(candles.open_time.tolist()):
            if self.next_ms is None or time >= self.next_ms:
                self._waiting[time] = candles[at : at + 1]

    def checked(self, since_ms: int, fetched: ClosedCandles) -> ClosedCandles:
        """What was fetched from `since_ms` on, or nothing if it lacks all candles that the exchange had before: then it lacks others."""
        if len(fetched.candles) or self.tail.between(since_ms, None).filled.all():
            return fetched
        return ClosedCandles(fetched.candles, 0, (*fetched.invalid, f"{self.symbol}: no candles, not even those that are stored"))

    def add_fetched(self, since_ms: int, fetched: ClosedCandles) -> Candles:
        """Add candles that were fetched from `since_ms` on. Returns the stored ones that have changed; they replace those of `tail`."""
        self.add_closed(fetched.candles)
        self._known_to_ms = max(self._known_to_ms, fetched.known_to_ms)
        if self.next_ms is None or since_ms >= self.next_ms:
            return self.tail[:0]
        reread = self.tail.between(since_ms, None)
        is_kept = ~np.isin(reread.open_time, fetched.candles.open_time) & ~reread.filled
        known = [self.tail.between(None, since_ms), *_sorted(selected(reread, is_kept), fetched.candles.between(since_ms, self.next_ms))]
        rebuilt = filled_to(self._joined(known), self.next_ms)[-len(self.tail) :]
        has_changed = np.any([old != new for old, new in zip(self.tail.columns, rebuilt.columns, strict=True)], axis=0)
        self.tail = rebuilt
        return selected(rebuilt, has_changed)

    def ready(self) -> Candles:
        """The candles to store next, oldest first, with gaps filled; empty if there are none."""
        if self._start_ms is None or not self.is_ready:
            return self.tail[:0]
        stop_ms = self._stop_ms(self._start_ms)
        closed = [self._waiting[time] for time in sorted(self._waiting) if time < stop_ms]
        return filled_to(self._joined([self.tail, *closed]), stop_ms).between(self._start_ms, None)

    def store(self, candles: Candles) -> None:
        """Note that these candles, which were `ready`, are stored."""
        self.continue_after(self._joined([self.tail, candles])[-CONTEXT_CANDLES:])

    def continue_after(self, tail: Candles) -> None:
        """Continue after other stored candles than before."""
        self.tail = tail
        self._waiting = {time: each for time, each in self._waiting.items() if time >= (self.next_ms or 0)}

    @property
    def _start_ms(self) -> int | None:
        """When the next candle to store opens. A new series begins with the first candle that was fetched, not with one of a stream."""
        if self.next_ms is None and self._known_to_ms:
            return min(self._waiting, default=None)
        return self.next_ms

    def _stop_ms(self, start_ms: int) -> int:
        """Where the candles that are known without interruption end. After the newest one, at most `MAX_FILLED_IN_A_ROW` are filled."""
        newest_ms = max(self._waiting, default=start_ms - self._step_ms)
        time = start_ms
        while time in self._waiting or time < min(self._known_to_ms, newest_ms):
            time += self._step_ms
        if time <= newest_ms:
            return time
        filled_before = _filled_at_end(self.tail) if newest_ms < start_ms else 0
        return max(time, min(self._known_to_ms, time + max(0, MAX_FILLED_IN_A_ROW - filled_before) * self._step_ms))

    def _joined(self, parts: list[Candles]) -> Candles:
        return Candles.concatenate(self.symbol, self.interval, parts)


def filled_to(candles: Candles, stop_ms: int) -> Candles:
    """The candles with gaps filled up to `stop_ms`, as `fill_gaps` fills them before a later candle."""
    if not len(candles) or candles.open_time[-1] >= stop_ms:
        return fill_gaps(candles)
    after = replace(candles[-1:], open_time=np.array([stop_ms], np.int64))
    return fill_gaps(Candles.concatenate(candles.symbol, candles.interval, [candles, after]))[:-1]


def selected(candles: Candles, which: NDArray[np.bool_]) -> Candles:
    """The candles for which `which`, `(n,)`, is True."""
    columns = Columns(*(column[which] for column in candles.columns))
    return Candles(candles.symbol, candles.interval, candles.open_time[which], columns, candles.filled[which])


def _filled_at_end(candles: Candles) -> int:
    """The number of filled candles after the last that is not."""
    found = np.flatnonzero(~candles.filled)
    return len(candles) - 1 - int(found[-1]) if len(found) else len(candles)


def _sorted(*parts: Candles) -> list[Candles]:
    """The candles of all parts one by one, in order of time."""
    return sorted((part[at : at + 1] for part in parts for at in range(len(part))), key=lambda each: int(each.open_time[0]))
