import pytest

from handler.asgi import Application
from handler.web import exchange_routes
from handler.web.exchange_routes import ExchangeRoutes
from tests.support.asgi_server import serving
from tests.support.fake_exchange import HISTORY, TOO_MANY_REQUESTS, FakeBinanceUs
from tests.support.http_server import response

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def exchange():
    with FakeBinanceUs.running() as exchange:
        yield exchange


@pytest.fixture
def client(exchange):
    with serving(Application(ExchangeRoutes("binanceus", exchange.url).routes())) as client:
        client.timeout = 30
        yield client


def candles(client, symbol="BTC/USDT", interval="1m"):
    return client.get("/exchange/candles", params={"symbol": symbol, "interval": interval})


def test_lists_the_symbols(client):
    assert client.get("/exchange/symbols").json() == {"exchange": "binanceus", "symbols": ["BTC/USDT", "ETH/USDT"]}


def test_returns_the_newest_closed_candles(client, exchange):
    exchange.now_ms -= 30_000  # the last candle is half open
    document = candles(client, "btcusdt").json()
    assert (document["symbol"], document["interval"]) == ("BTC/USDT", "1m")
    assert [row[0] for row in document["candles"]][-3:] == HISTORY.open_time[-4:-1].tolist()
    assert document["candles"][-1][4] == HISTORY.columns.close[-2]


def test_the_same_candles_are_asked_for_once_in_a_while(client, exchange, monkeypatch):
    candles(client)
    asked = len(exchange.queries)
    candles(client)
    assert len(exchange.queries) == asked
    monkeypatch.setattr(exchange_routes, "_CANDLES_KEPT_S", 0)
    candles(client)
    assert len(exchange.queries) > asked


@pytest.mark.parametrize(("symbol", "interval", "status"), [("NO/SUCH", "1m", 503), ("BTC/USDT", "7m", 503), ("BTC/USDT", "x", 422)])
def test_errors_are_problem_documents(client, symbol, interval, status):
    answer = candles(client, symbol, interval)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == status


def test_a_long_wait_for_the_exchange_is_an_error(client, exchange):
    exchange.faults = [response(TOO_MANY_REQUESTS, 429, Retry_After="60")]
    answer = candles(client)
    assert answer.status_code == 503
    assert "60 s" in answer.json()["detail"]


def test_an_exchange_without_connection_is_an_error():
    with serving(Application(ExchangeRoutes("binanceus", "http://127.0.0.1:9").routes())) as client:
        client.timeout = 30
        assert candles(client).status_code == 503
