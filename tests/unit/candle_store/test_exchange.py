"""The clock of an exchange, and an exchange that is waited for."""

import pytest

from coinfarm.candle_store.exchange import Exchange
from coinfarm.errors import CoinfarmError, Unavailable
from tests.support.fake_exchange import FakeBinanceUs
from tests.support.http_server import QuietHandler, response
from tests.support.synthetic_candles import START_MS

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def binance():
    with FakeBinanceUs.running() as exchange:
        yield exchange


@pytest.fixture
def waits():
    return []


def connect(binance, waits, **options):
    exchange = Exchange("binanceus", binance.url, lambda seconds, _: waits.append(seconds), **options)
    exchange._ccxt.rateLimit = 0
    return exchange


def test_the_time_is_that_of_the_exchange(binance, waits):
    binance.now_ms = START_MS + 123
    assert connect(binance, waits).now_ms() == START_MS + 123


def test_without_a_clock_the_date_of_the_last_response_counts(binance, waits, monkeypatch):
    monkeypatch.setattr(QuietHandler, "date_time_string", lambda *_: "Wed, 01 Jan 2020 00:00:07 GMT")
    exchange = connect(binance, waits)
    exchange._ccxt.has["fetchTime"] = False
    exchange.market("BTC/USDT")
    assert START_MS + 7_000 <= exchange.now_ms() < START_MS + 60_000


def test_a_ban_is_waited_for_only_with_patience(binance, waits):
    binance.faults = [response("{}", 429, Retry_After="86400")] * 2
    exchange = connect(binance, waits)
    exchange.market("BTC/USDT")
    with pytest.raises(Unavailable, match="banned"):
        exchange.page("BTC/USDT", "1m", START_MS)
    patient = connect(binance, waits, is_patient=True)
    patient.market("BTC/USDT")
    assert len(patient.page("BTC/USDT", "1m", START_MS)) > 0
    assert waits == [86_400]


def test_maintenance_is_waited_for_as_long_as_it_takes(binance, waits):
    binance.faults = [response("{}", 503)] * 40
    exchange = connect(binance, waits, is_patient=True)
    exchange.market("BTC/USDT")
    assert len(exchange.page("BTC/USDT", "1m", START_MS)) > 0
    assert waits == [1, 2, 4, 8, 16, 32] + [60] * 34


@pytest.mark.parametrize("body", ["{}", '{"code": 0, "msg": "Service unavailable from a restricted location"}', "not available"])
def test_a_restricted_location_is_final(binance, waits, body):
    exchange = connect(binance, waits, is_patient=True)
    exchange.market("BTC/USDT")
    binance.faults = [response(body, 451)]
    with pytest.raises(CoinfarmError, match="HTTP 451"):
        exchange.page("BTC/USDT", "1m", START_MS)
    assert waits == []


def test_an_exchange_that_was_never_reached_is_not_waited_for(waits):
    with pytest.raises(Unavailable, match="cannot be reached"):
        Exchange("binanceus", "http://127.0.0.1:9", lambda seconds, _: waits.append(seconds), is_patient=True).market("BTC/USDT")
    assert waits == []


@pytest.mark.parametrize(
    "body", ["<html>Maintenance</html>", "", "null", "[]", "{}", '"later"', '{"serverTime": "soon"}', '{"serverTime": 0}']
)
@pytest.mark.parametrize("path", ["exchangeInfo", "time"])
def test_waits_while_responses_are_not_those_of_an_exchange(binance, waits, monkeypatch, path, body):
    exchange = connect(binance, waits, is_patient=True)
    usual, left = binance.response_to, [2]

    def faulty(asked, query):
        left[0] -= asked == path
        return response(body) if asked == path and left[0] >= 0 else usual(asked, query)

    monkeypatch.setattr(binance, "response_to", faulty)
    assert exchange.market("BTC/USDT") == "BTC/USDT"
    assert exchange.now_ms() == binance.now_ms
    assert waits == [1, 2]
