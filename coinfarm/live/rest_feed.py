"""Fetches candles by REST in a thread of its own, so that an exchange that does not respond delays no prediction."""

import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from queue import SimpleQueue

from coinfarm.candle_store.exchange import Exchange
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.exchange_clock import ExchangeClock
from coinfarm.live.exchange_rows import closed_candles, fetch_rows
from coinfarm.live.feed_events import Ended, Fetched, Post
from coinfarm.live.outages import Outages, Stopped
from coinfarm.reports.formatting import duration_text

_SYNCHRONISE_S = 60
_REJECTED_PAUSE_S = 60
"""The pause after an error for which an immediate retry is useless, such as HTTP 403."""
_MAX_SKEW_S = 2


class RestFeed:
    """Answers requests for candles one after the other, with `Fetched` for each; keeps the exchange's clock.

    `exchange` waits with `outages.wait`. Errors for which a retry is useless end the thread.
    """

    def __init__(
        self, exchange: Exchange, markets: Mapping[str, str], interval: str, clock: ExchangeClock, outages: Outages, post: Post
    ) -> None:
        self._exchange = exchange
        self._markets = markets
        self._interval = interval
        self._clock = clock
        self._outages = outages
        self._post = post
        self._requests: SimpleQueue[tuple[str, int] | None] = SimpleQueue()
        self._synchronised_at = time.monotonic()
        self._reported_skew_s = 0.0
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the request that it is waiting for."""
        self._outages.stop()
        self._requests.put(None)

    def synchronise_soon(self) -> None:
        """Ask for the exchange's time before the next request: this machine may have slept."""
        self._synchronised_at = -math.inf

    def request(self, symbol: str, since_ms: int) -> None:
        """Ask for the candles of a symbol that open from `since_ms` on."""
        self._requests.put((symbol, since_ms))

    def _run(self) -> None:
        error: CoinfarmError | None = None
        try:
            with suppress(Stopped):
                self._report_skew()
                while (request := self._requests.get()) is not None:
                    self._post(self._fetched(*request))
        except CoinfarmError as raised:
            error = raised
        finally:
            self._post(Ended("rest", error))

    def _fetched(self, symbol: str, since_ms: int) -> Fetched:
        while True:
            try:
                if time.monotonic() - self._synchronised_at >= _SYNCHRONISE_S:
                    self._clock.synchronise()
                    self._synchronised_at = time.monotonic()
                    self._report_skew()
                now_ms = self._clock.now_ms()
                rows = fetch_rows(self._exchange, self._markets[symbol], self._interval, since_ms, now_ms)
            except Unavailable as error:
                self._outages.wait(_REJECTED_PAUSE_S, str(error))
            else:
                self._outages.note_response()
                return Fetched(symbol, since_ms, closed_candles(symbol, self._interval, rows, now_ms))

    def _report_skew(self) -> None:
        skew_s = self._clock.skew_s
        if abs(skew_s) > _MAX_SKEW_S and abs(skew_s - self._reported_skew_s) > _MAX_SKEW_S:
            self._reported_skew_s = skew_s
            by = f"{duration_text(abs(skew_s))} {'ahead of' if skew_s > 0 else 'behind'}"
            self._outages.notice(f"this machine's clock is {by} that of {self._exchange.name}, which is used")
