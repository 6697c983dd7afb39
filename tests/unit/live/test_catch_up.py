"""Catching up from the real ccxt client and a fake exchange, with the reference model."""

import pytest

from coinfarm.candle_store.exchange import Exchange
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.catch_up import catch_up
from coinfarm.live.live_series import FIRST_CANDLES, MAX_CATCH_UP_CANDLES
from coinfarm.live.live_store import LiveStore
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_exchange import FakeBinanceUs, klines_of
from tests.support.http_server import response
from tests.support.live_stores import assert_equals_backfill
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

pytestmark = pytest.mark.enable_socket

BTC = minutes(600, missing=[*range(450, 460), 500], seed=5)
ETH = minutes(600, seed=6)


def at(minute, seconds=0):
    return START_MS + minute * MINUTE_MS + seconds * 1000


@pytest.fixture
def binance():
    with FakeBinanceUs.running() as exchange:
        exchange.other_rows = {("BTCUSDT", "1m"): klines_of(BTC), ("ETHUSDT", "1m"): klines_of(ETH)}
        exchange.now_ms = at(400)
        yield exchange


@pytest.fixture
def run(binance, store, service):
    exchange = Exchange("binanceus", binance.url, lambda *_: None)
    exchange._ccxt.rateLimit = 0
    return lambda into=store, symbols=("BTC/USDT", "ethusdt"): catch_up(exchange, into, symbols, "1m", service)


def new(caught_up):
    return sorted((row["symbol"], (row["open_time"] - START_MS) // MINUTE_MS) for row in caught_up.new.to_pylist())


def check(store, feed, service):
    """The stored rows equal a backfill of the exchange's candles."""
    for symbol, candles in {"BTCUSDT": BTC, "ETHUSDT": ETH}.items():
        named = Candles(symbol, "1m", candles.open_time, candles.columns, candles.filled)
        assert_equals_backfill(store.read(feed, symbols=[symbol]), named, service.predictor())


def test_a_first_call_begins_the_series_and_each_further_one_continues_it(run, binance, store, feed, service):
    first = new(run())
    assert first == [(symbol, minute) for symbol in ("BTCUSDT", "ETHUSDT") for minute in range(400 - FIRST_CANDLES, 400)]
    assert new(run()) == []
    binance.now_ms = at(401, 30)
    assert new(run()) == [("BTCUSDT", 400), ("ETHUSDT", 400)]
    for minute in (455, 475, 501, 590):
        binance.now_ms = at(minute, 30)
        run()
    check(store, feed, service)


def test_two_processes_store_each_candle_once(run, binance, store, tmp_path, feed, service):
    other = LiveStore(FolderStorage(tmp_path))
    run()
    for minute, into in [(405, other), (405, store), (410, store), (410, other)]:
        binance.now_ms = at(minute, 30)
        run(into)
    check(store, feed, service)


def test_rows_name_the_model_and_the_time_of_the_prediction(run, binance, service):
    binance.now_ms = at(400, 3)
    last = run().new.to_pylist()[-1]
    assert (last["model_version"], last["predicted_at"]) == (service.model().version, at(400, 3))
    assert last["close_time"] == at(400) - 1


def test_a_candle_that_the_exchange_has_corrected_keeps_its_prediction(run, binance, store, feed):
    run()
    before = store.read(feed, symbols=["BTCUSDT"]).to_pylist()[-2]
    row = next(row for row in binance.other_rows["BTCUSDT", "1m"] if row[0] == before["open_time"])
    row[5] = "99.5"
    binance.now_ms = at(402)
    (corrected,) = run().corrected.to_pylist()
    assert corrected == before | {"volume": 99.5, "corrected_at": at(402)}
    assert corrected in store.read(feed).to_pylist()


def test_a_series_begins_again_after_a_long_gap(run, binance, store, feed):
    run(symbols=["ETHUSDT"])
    later = at(400 + MAX_CATCH_UP_CANDLES + 2)
    binance.other_rows["ETHUSDT", "1m"] = klines_of(minutes(10_500, seed=6))
    binance.now_ms = later
    assert len(run(symbols=["ETHUSDT"]).new) == FIRST_CANDLES
    assert store.read(feed)["filled"].to_pylist().count(True) == 0


@pytest.mark.parametrize(("status", "error"), [(451, CoinfarmError), (503, Unavailable), (429, Unavailable)])
def test_an_exchange_that_does_not_respond_changes_nothing(run, binance, tmp_path, status, error):
    run()
    (path,) = tmp_path.rglob("*.parquet")
    stored = path.read_bytes()
    binance.now_ms = at(410)
    binance.faults = [response("{}", status)] * 100
    with pytest.raises(error, match="binanceus"):
        run()
    assert path.read_bytes() == stored


def test_unknown_symbol_or_interval(run, store, service, binance):
    with pytest.raises(CoinfarmError, match="XYZ/USDT"):
        run(symbols=["XYZ/USDT"])
    with pytest.raises(CoinfarmError, match="7m"):
        catch_up(Exchange("binanceus", binance.url), store, ["BTC/USDT"], "7m", service)


def test_predicts_only_intervals_that_the_model_was_trained_on(binance, store, service):
    thrice = Candles("BTCUSDT", "3m", START_MS + 3 * (ETH.open_time - START_MS), ETH.columns, ETH.filled)
    binance.other_rows = {("BTCUSDT", "3m"): klines_of(thrice)}
    binance.now_ms = at(1200)
    with pytest.raises(CoinfarmError, match=r"trained on 1m.* not 3m"):
        catch_up(Exchange("binanceus", binance.url), store, ["BTC/USDT"], "3m", service)
    assert store.feeds() == []
