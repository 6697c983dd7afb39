"""Puts a watcher together: exchange, clock, series, feeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from coinfarm.candle_store.download import store_symbol
from coinfarm.candle_store.exchange import Exchange
from coinfarm.candles.interval import canonical_interval
from coinfarm.live.exchange_clock import ExchangeClock
from coinfarm.live.feed_events import FeedEvent, Stop
from coinfarm.live.live_output import LiveOutput
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.live.model_refresh import ModelRefresh
from coinfarm.live.outages import Outages
from coinfarm.live.rest_feed import RestFeed
from coinfarm.live.stored_tails import stored_series
from coinfarm.live.watcher import Feeds, Watcher
from coinfarm.live.websocket_feed import WebsocketFeed

if TYPE_CHECKING:
    from coinfarm.serving.service import Service


@dataclass(frozen=True)
class WatchOptions:
    """What to watch. `exchange_url` is that of `Exchange`, `clock_speed` that of `ExchangeClock`.

    Without `use_websocket`, as for an exchange without one, candles are fetched by REST right after their close. Without `any_interval`,
    candles wait while the model in service is known to be trained on other intervals.
    """

    exchange: str
    symbols: Sequence[str]
    interval: str
    exchange_url: str | None = None
    use_websocket: bool = True
    clock_speed: float = 1.0
    any_interval: bool = False


class WatchSession:
    """Watches until `stop` is called.

    The constructor connects to the exchange, and waits if it is in maintenance. Raises `CoinfarmError` for an unknown exchange, symbol or
    interval, if the exchange cannot be reached or does not serve this location, and for a damaged store.
    """

    def __init__(self, options: WatchOptions, store: LiveStore, service: "Service", output: LiveOutput) -> None:
        outages = Outages(options.exchange, output.notice)
        exchange = Exchange(options.exchange, options.exchange_url, outages.wait, is_patient=True)
        exchange.check_interval(options.interval)
        self.feed = LiveFeed(exchange.name, canonical_interval(options.interval))
        markets = {store_symbol(market): market for market in map(exchange.market, options.symbols)}
        self.symbols = list(markets)
        clock = ExchangeClock(exchange.now_ms, options.clock_speed)
        outages.note_response()
        series = stored_series(store, self.feed, markets, clock.now_ms())
        self._inbox: SimpleQueue[FeedEvent] = SimpleQueue()
        post = self._inbox.put
        rest = RestFeed(exchange, markets, self.feed.interval, clock, outages, post)
        uses_websocket = options.use_websocket and WebsocketFeed.is_available(exchange)
        websocket = WebsocketFeed(exchange, markets, self.feed.interval, post) if uses_websocket else None
        self.has_websocket = uses_websocket
        self._service = service
        self._watcher = Watcher(
            self.feed, series, store, service, clock, Feeds(rest, websocket), output, self._inbox, any_interval=options.any_interval
        )

    def run(self) -> int:
        """Watch, and return the signal that was given to `stop`. Raises as `Watcher.run`."""
        with ModelRefresh(self._service):
            return self._watcher.run()

    def stop(self, signal: int) -> None:
        """End `run` after the batch that is being predicted; for any thread and for signal handlers."""
        self._inbox.put(Stop(signal))
