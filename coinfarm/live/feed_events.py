"""What the threads that listen to an exchange report to the watcher."""

from collections.abc import Callable
from typing import NamedTuple

from coinfarm.candle_store.exchange import Row
from coinfarm.errors import CoinfarmError
from coinfarm.live.exchange_rows import ClosedCandles


class Closed(NamedTuple):
    """The exchange's stream says that a candle is closed."""

    symbol: str
    row: Row


class Began(NamedTuple):
    """The stream has a candle that opens at `open_time`, so the one before it is closed."""

    symbol: str
    open_time: int


class Connected(NamedTuple):
    """The stream delivers, for the first time or again."""


class Disconnected(NamedTuple):
    """The stream does not deliver any more; it is connected again in the background."""

    reason: str


class Fetched(NamedTuple):
    """The answer to a request for a symbol's candles from `since_ms` on."""

    symbol: str
    since_ms: int
    candles: ClosedCandles


class Ended(NamedTuple):
    """A thread ended, with an error for which a retry is useless, or because of a bug if there is none."""

    thread: str
    error: CoinfarmError | None = None


class Stop(NamedTuple):
    """The user or the system asks for the end, by this signal."""

    signal: int


FeedEvent = Closed | Began | Connected | Disconnected | Fetched | Ended | Stop
Post = Callable[[FeedEvent], None]
"""Hands an event to the watcher; for any thread and for signal handlers."""
