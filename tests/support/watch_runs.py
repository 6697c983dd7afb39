"""Watch sessions against an exchange on this machine."""

import threading
import time
from collections.abc import Callable

from coinfarm.candles.candles import Candles
from coinfarm.live.watch_session import WatchOptions, WatchSession
from tests.support.live_exchange import LiveExchange
from tests.support.live_stores import assert_equals_backfill
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

SPEED = 240.0
"""A minute takes a quarter of a second."""
CANDLES = {"BTCUSDT": minutes(700, missing=[407, 408], seed=5), "ETHUSDT": minutes(700, seed=6)}
TIMEOUT_S = 20


def at(minute, seconds=0):
    return START_MS + minute * MINUTE_MS + seconds * 1000


class RecordedOutput:
    """Keeps everything that a watcher reports, and when: `after_s` is the time since the close of the newest candle."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.messages = []
        self.notices = []
        self.after_s = []

    def show(self, messages):
        if messages:
            newest_ms = max(message["closeTime"] for message in messages) + 1
            self.after_s.append(time.monotonic() - self.exchange.monotonic_at(newest_ms))
        self.messages += messages

    def notice(self, text):
        self.notices.append(text)

    def close(self):
        pass

    def newest(self, symbol):
        """The minute of the symbol's last candle."""
        times = [message["candle"]["openTime"] for message in self.messages if message["symbol"] == symbol]
        return (max(times, default=0) - START_MS) // MINUTE_MS


def watch_until(store, service, output, is_done: Callable[[], bool], **options):
    """Watch until `is_done`, which is asked again and again, and return the session."""
    chosen = {"exchange": "binanceus", "symbols": ["BTC/USDT", "ETH/USDT"], "interval": "1m", "clock_speed": SPEED} | options
    session = WatchSession(WatchOptions(exchange_url=output.exchange.url, **chosen), store, service, output)

    def stop():
        started = time.monotonic()
        while not is_done() and time.monotonic() - started < TIMEOUT_S:
            time.sleep(0.01)
        session.stop(15)

    threading.Thread(target=stop, daemon=True).start()
    assert session.run() == 15
    assert is_done(), output.notices
    return session


def watch_to_minute(store, service, output, minute, **options):
    """Watch until both symbols have been predicted up to this minute."""
    return watch_until(store, service, output, lambda: all(output.newest(symbol) >= minute for symbol in CANDLES), **options)


def assert_store_equals_backfill(store, feed, service):
    for symbol, candles in CANDLES.items():
        named = Candles(symbol, "1m", candles.open_time, candles.columns, candles.filled)
        assert_equals_backfill(store.read(feed, symbols=[symbol]), named, service.predictor())


def assert_reported_once(output, store, feed):
    """Every row of the store was reported, once and in order."""
    stored = [(row["symbol"], row["open_time"]) for row in store.read(feed).to_pylist()]
    for symbol in CANDLES:
        reported = [message["candle"]["openTime"] for message in output.messages if message["symbol"] == symbol]
        assert reported == [time for name, time in stored if name == symbol]


def exchange_at(minute, seconds=50, **options):
    return LiveExchange(CANDLES, at(minute, seconds), **{"speed": SPEED} | options)
