"""Predicts every candle as it closes: takes candles from a stream and by REST, stores them with their predictions, reports them."""

import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from coinfarm.candle_store.exchange import Row
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.catch_up import store_corrections
from coinfarm.live.exchange_clock import ExchangeClock
from coinfarm.live.exchange_rows import valid_candles
from coinfarm.live.feed_events import Began, Closed, Connected, Disconnected, Ended, FeedEvent, Fetched, Stop
from coinfarm.live.fetch_schedule import FetchSchedule
from coinfarm.live.live_message import live_messages
from coinfarm.live.live_output import LiveOutput
from coinfarm.live.live_prediction import store_ready
from coinfarm.live.live_series import MAX_CATCH_UP_CANDLES, LiveSeries
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.live.rest_feed import RestFeed
from coinfarm.live.websocket_feed import WebsocketFeed
from coinfarm.reports.formatting import minute_text, plural_text

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.serving.service import Service

_BATCH_WAIT_S = 0.05
"""How long a symbol whose candle is closed waits for the others, so that all are one batch."""
_MAX_EARLY_MS = 5_000
"""How long before its close a stream may say that a candle is closed: as long as the clocks may differ."""
_STORE_PAUSE_S = 5.0
_MAX_WAIT_S = 1.0
"""The longest sleep, because the clock may be corrected meanwhile."""
_MAX_REMEMBERED = 1000


class Feeds(NamedTuple):
    """Where candles come from; `websocket` is None if the exchange has none or it is not wanted."""

    rest: RestFeed
    websocket: WebsocketFeed | None


class Watcher:
    """Owns the series and the store; everything in it happens in the thread of `run`, in the order of the events in `inbox`."""

    def __init__(
        self,
        feed: LiveFeed,
        series: Mapping[str, LiveSeries],
        store: LiveStore,
        service: "Service",
        clock: ExchangeClock,
        feeds: Feeds,
        output: LiveOutput,
        inbox: SimpleQueue[FeedEvent],
        *,
        any_interval: bool = False,
    ) -> None:
        self._feed = feed
        self._schedules = {symbol: FetchSchedule(each, interval_ms(feed.interval), clock) for symbol, each in series.items()}
        self._store = store
        self._service = service
        self._clock = clock
        self._feeds = feeds
        self._output = output
        self._inbox = inbox
        self._any_interval = any_interval
        self._is_streaming = False
        self._corrections: list[Candles] = []
        self._ready_since: float | None = None
        self._store_at: float | None = None
        self._paused_until = 0.0
        self._has_stored = False
        self._failure = ""
        self._reported: set[str] = set()

    def run(self) -> int:
        """Watch until a `Stop` arrives, and return its signal. A batch that was begun is finished.

        Raises `CoinfarmError` if the exchange or the store has an error for which a retry is useless.
        """
        self._feeds.rest.start()
        if self._feeds.websocket is not None:
            self._feeds.websocket.start()
        try:
            while True:
                for event in self._events():
                    if isinstance(event, Stop):
                        return event.signal
                    self._handle(event)
                self._request_due()
                self._store_if_due()
        finally:
            self._feeds.rest.stop()
            if self._feeds.websocket is not None:
                self._feeds.websocket.stop()

    def _events(self) -> list[FeedEvent]:
        """All events that have arrived, after waiting until there is one or something is due."""
        due = [schedule.due_at(is_streaming=self._is_streaming) for schedule in self._schedules.values()]
        next_at = min([*(each for each in [*due, self._store_at] if each is not None), time.monotonic() + _MAX_WAIT_S])
        events = []
        try:
            events.append(self._inbox.get(timeout=max(0.0, next_at - time.monotonic())))
            while True:
                events.append(self._inbox.get_nowait())
        except Empty:
            return events

    def _handle(self, event: FeedEvent) -> None:
        match event:
            case Closed(symbol, row):
                self._add_closed(symbol, row)
            case Began(symbol, open_time):
                self._schedules[symbol].note_begun(open_time)
            case Fetched():
                self._add_fetched(event)
            case Connected():
                self._is_streaming = True
                self._feeds.rest.synchronise_soon()
                self._output.notice(f"the websocket of {self._feed.exchange} is connected")
                for schedule in self._schedules.values():
                    schedule.ask_now()
            case Disconnected(reason):
                self._is_streaming = False
                self._output.notice(f"the websocket of {self._feed.exchange} is not connected ({reason}); candles are fetched meanwhile")
            case Ended(thread, error):
                raise error if error is not None else RuntimeError(f"the thread {thread} has ended")

    def _add_closed(self, symbol: str, row: Row) -> None:
        if row[0] + interval_ms(self._feed.interval) > self._clock.now_ms() + _MAX_EARLY_MS:
            self._report_invalid((f"{symbol}: the candle at {row[0]:.0f} is said to be closed before its time",))
            return
        closed = valid_candles(symbol, self._feed.interval, [row])
        self._schedules[symbol].series.add_closed(closed.candles)
        self._report_invalid(closed.invalid)

    def _add_fetched(self, event: Fetched) -> None:
        schedule = self._schedules[event.symbol]
        schedule.note_answer()
        fetched = schedule.series.checked(event.since_ms, event.candles)
        corrected = schedule.series.add_fetched(event.since_ms, fetched)
        self._report_invalid(fetched.invalid)
        if len(corrected):
            self._corrections.append(corrected)

    def _request_due(self) -> None:
        now = time.monotonic()
        for symbol, schedule in self._schedules.items():
            due_at = schedule.due_at(is_streaming=self._is_streaming)
            if due_at is not None and due_at <= now:
                now_ms = self._clock.now_ms()
                if schedule.series.begin_again_if_outdated(now_ms):
                    self._output.notice(f"{symbol} begins again: more than {MAX_CATCH_UP_CANDLES:,} candles are missing")
                schedule.note_request()
                self._feeds.rest.request(symbol, schedule.series.fetch_from_ms(now_ms))

    def _store_if_due(self) -> None:
        """Store what is ready once all symbols are, or those that are have waited for the others."""
        ready = [schedule for schedule in self._schedules.values() if schedule.series.is_ready]
        self._store_at = None
        if not ready and not self._corrections:
            self._ready_since = None
            return
        now = time.monotonic()
        self._ready_since = self._ready_since or now
        batch_at = now if len(ready) == len(self._schedules) else self._ready_since + _BATCH_WAIT_S
        if now < max(batch_at, self._paused_until):
            self._store_at = max(batch_at, self._paused_until)
            return
        self._ready_since = None
        try:
            self._report_corrected(store_corrections(self._store, self._feed, self._corrections, self._clock.now_ms()))
            self._corrections.clear()
            all_ready = [each.series for each in ready]
            new = store_ready(self._store, self._feed, all_ready, self._service, self._clock.now_ms, any_interval=self._any_interval)
        except CoinfarmError as error:
            if not self._has_stored and not isinstance(error, Unavailable):
                raise
            self._paused_until = now + _STORE_PAUSE_S
            if self._failure != str(error):
                self._output.notice(f"{error}; candles wait, and are tried again every {_STORE_PAUSE_S:.0f} s")
            self._failure = str(error)
            return
        if self._failure:
            self._output.notice(f"candles are stored again; {plural_text(len(new), 'candle')} waited")
        self._failure = ""
        self._has_stored = True
        for schedule in ready:
            schedule.note_stored()
        self._output.show(list(live_messages(self._feed, new)))

    def _report_corrected(self, rows: "pa.Table") -> None:
        for row in rows.to_pylist():
            candle = f"candle of {minute_text(row['open_time'])} UTC"
            self._output.notice(
                f"{self._feed.exchange} has corrected {row['symbol']}'s {candle}, close {row['close']}; its prediction stays"
            )

    def _report_invalid(self, details: tuple[str, ...]) -> None:
        """Once each: the last candles are fetched again and again."""
        for detail in details:
            if detail not in self._reported:
                self._output.notice(f"{self._feed.exchange} has sent an invalid response, which is left out: {detail}")
        self._reported = {*details, *(self._reported if len(self._reported) < _MAX_REMEMBERED else ())}
