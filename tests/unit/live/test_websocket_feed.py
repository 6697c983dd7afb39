"""Messages of Binance's websocket, without a connection."""

from types import SimpleNamespace

import ccxt
import pytest

from coinfarm.live.feed_events import Closed
from coinfarm.live.websocket_feed import WebsocketFeed
from tests.support.synthetic_candles import START_MS

SPOT, LINEAR, INVERSE = "wss://stream.binance.com:9443/ws/0", "wss://fstream.binance.com/ws/0", "wss://dstream.binance.com/ws/0"


def market(symbol, market_id, kind="spot", **fields):
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    given = {"id": market_id, "lowercaseId": market_id.lower(), "symbol": symbol, "base": base, "quote": quote, "settle": settle or None}
    kinds = {"type": kind, "spot": kind == "spot", "swap": kind == "swap", "contract": kind == "swap", "linear": None, "inverse": None}
    return ccxt.binance().safe_market_structure(given | kinds | fields)


MARKETS = [
    market("BTC/USDT", "BTCUSDT"),
    market("ETH/USDT", "ETHUSDT"),
    market("BTC/USDT:USDT", "BTCUSDT", "swap", linear=True, inverse=False),
    market("BTC/USD:BTC", "BTCUSD_PERP", "swap", linear=False, inverse=True),
]


@pytest.fixture
def connect():
    """A function that returns ccxt's client for some markets, its groups, and the list of events."""

    def connect(*symbols, name="binance"):
        exchange = SimpleNamespace(
            name=name, url=None, timeframe=lambda _: "1m", market_data=lambda: {"markets": MARKETS, "currencies": None}
        )
        events = []
        feed = WebsocketFeed(exchange, {symbol.replace("/", "").replace(":", "-"): symbol for symbol in symbols}, "1m", events.append)
        client = feed._client()
        return client, feed._groups(client), events

    return connect


def receive(client, url, market_id, *, is_closed=True, interval="1m"):
    kline = {"t": START_MS, "s": market_id, "i": interval, "o": "1", "h": "3", "l": "0.5", "c": "2", "v": "10", "x": is_closed}
    client.handle_ohlcv(SimpleNamespace(url=url, resolve=lambda *_: None), {"e": "kline", "s": market_id, "k": kline})


def test_reports_closed_candles_only(connect):
    client, _, events = connect("BTC/USDT", "ETH/USDT")
    receive(client, SPOT, "ETHUSDT", is_closed=False)
    receive(client, SPOT, "ETHUSDT", interval="5m")
    receive(client, SPOT, "ETHUSDT")
    assert events == [Closed("ETHUSDT", [START_MS, 1.0, 3.0, 0.5, 2.0, 10.0])]


def test_does_not_mistake_a_future_for_the_spot_market_of_the_same_id(connect):
    client, groups, events = connect("BTC/USDT", "ETH/USDT", "BTC/USDT:USDT")
    assert groups == [[["BTC/USDT", "1m"], ["ETH/USDT", "1m"]], [["BTC/USDT:USDT", "1m"]]]
    receive(client, SPOT, "BTCUSDT")
    receive(client, LINEAR, "BTCUSDT")
    receive(client, SPOT, "ETHUSDT")
    assert [event.symbol for event in events] == ["ETHUSDT"]


def test_reports_a_future_by_itself(connect):
    client, _, events = connect("BTC/USDT:USDT")
    receive(client, LINEAR, "BTCUSDT")
    assert [event.symbol for event in events] == ["BTCUSDT-USDT"]


def test_leaves_inverse_futures_to_rest(connect):
    client, _, events = connect("BTC/USD:BTC")
    receive(client, INVERSE, "BTCUSD_PERP")
    assert events == []


def test_an_exchange_that_cannot_watch_several_markets_at_once_gets_one_task_for_each(connect):
    _, groups, _ = connect("BTC/USDT", "ETH/USDT", name="kraken")
    assert groups == [[["BTC/USDT", "1m"]], [["ETH/USDT", "1m"]]]


def test_knows_which_exchanges_have_candles_by_websocket():
    assert WebsocketFeed.is_available(SimpleNamespace(name="binanceus"))
    assert not WebsocketFeed.is_available(SimpleNamespace(name="btcturk"))
