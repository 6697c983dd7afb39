"""Watching an exchange on this machine, by its websocket and by REST, with everything that may go wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError, Forbidden, Unavailable
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.training_data import TrainingData
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import FakeEngine, promote_model
from tests.support.live_exchange import Faults, Outage
from tests.support.synthetic_candles import MINUTE_MS
from tests.support.watch_runs import (
    CANDLES,
    RecordedOutput,
    assert_reported_once,
    assert_store_equals_backfill,
    at,
    exchange_at,
    watch_to_minute,
    watch_until,
)

FEED = LiveFeed("binanceus", "1m")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return Service(Settings(model_cache_dir=tmp_path_factory.mktemp("cache"), prediction_cache_frames=0))


@pytest.fixture
def store(tmp_path):
    return LiveStore(FolderStorage(tmp_path / "store"))


@pytest.mark.parametrize(
    ("use_websocket", "faults"),
    [
        (True, Faults()),
        (False, Faults()),
        (True, Faults(disconnects=[at(403, 30), at(405, 59)])),
        (True, Faults(unsent={("ETHUSDT", at(403)), ("BTCUSDT", at(405)), ("ETHUSDT", at(405))})),
        (True, Faults(unsent={(symbol, at(minute)) for symbol in CANDLES for minute in range(700)})),
        (True, Faults(early={("BTCUSDT", at(407)), ("BTCUSDT", at(409)), ("ETHUSDT", at(408))})),
        (False, Faults(late_ms={("BTCUSDT", at(403)): 9_000, ("ETHUSDT", at(405)): 1_500})),
        (True, Faults(outages=[Outage(at(403, 10), at(406, 10), 503)])),
        (True, Faults(outages=[Outage(at(403, 10), at(405), 429, {"Retry-After": "1"}), Outage(at(405), at(406), 418, rest_only=True)])),
    ],
    ids=[
        "websocket",
        "REST",
        "disconnects",
        "some without a closed flag",
        "no closed flag",
        "closed too early",
        "late candles",
        "maintenance",
        "too many requests",
    ],
)
def test_every_candle_is_predicted_once_as_in_a_backfill(store, service, faults, use_websocket):
    with exchange_at(401, faults=faults).running() as exchange:
        output = RecordedOutput(exchange)
        session = watch_to_minute(store, service, output, 411, use_websocket=use_websocket)
    assert session.has_websocket is use_websocket
    assert_store_equals_backfill(store, FEED, service)
    assert_reported_once(output, store, FEED)
    assert np.median(output.after_s) < 1


def test_no_request_is_needed_for_a_candle_that_the_websocket_delivers(store, service):
    faults = Faults(outages=[Outage(at(403, 30), at(440), 503, rest_only=True)])
    with exchange_at(401, faults=faults).running() as exchange:
        output = RecordedOutput(exchange)
        watch_to_minute(store, service, output, 406)
        assert exchange.now_ms() < at(440)


def test_a_restart_continues_where_the_first_run_ended(store, service):
    with exchange_at(401).running() as exchange:
        first = RecordedOutput(exchange)
        watch_to_minute(store, service, first, 403)
        second = RecordedOutput(exchange)
        watch_until(store, service, second, lambda: exchange.now_ms() > at(408) and second.newest("ETHUSDT") >= 408)
    assert_store_equals_backfill(store, FEED, service)
    first.messages += second.messages
    assert_reported_once(first, store, FEED)


def test_two_watchers_of_one_store_predict_each_candle_once(store, service, tmp_path):
    with exchange_at(401).running() as exchange:
        outputs = [RecordedOutput(exchange), RecordedOutput(exchange)]
        other = LiveStore(FolderStorage(tmp_path / "store"))

        def is_done():
            return all(output.newest(symbol) >= 404 or exchange.now_ms() > at(410) for output in outputs for symbol in CANDLES)

        with ThreadPoolExecutor() as pool:
            runs = [pool.submit(watch_until, each, service, output, is_done) for each, output in zip((store, other), outputs, strict=True)]
        assert [run.exception() for run in runs] == [None, None]
    assert_store_equals_backfill(store, FEED, service)
    reported = [(message["symbol"], message["closeTime"]) for output in outputs for message in output.messages]
    assert len(reported) == len(set(reported)) == len(store.read(FEED))


def test_a_corrected_candle_is_stored_and_its_prediction_stays(store, service):
    faults = Faults(corrections={("BTCUSDT", at(403)): (at(404, 30), "77.7")})
    with exchange_at(401, faults=faults).running() as exchange:
        output = RecordedOutput(exchange)
        watch_to_minute(store, service, output, 407)
    row = next(row for row in store.read(FEED, symbols=["BTCUSDT"]).to_pylist() if row["open_time"] == at(403))
    message = next(message for message in output.messages if message["candle"]["openTime"] == at(403) and message["symbol"] == "BTCUSDT")
    assert (row["volume"], row["max_rise_pct"]) == (77.7, message["predictions"]["maxRisePct"])
    assert at(404, 30) <= row["corrected_at"] < at(407)
    assert [notice for notice in output.notices if "corrected" in notice and "BTCUSDT" in notice]


def test_a_new_model_is_loaded_between_two_candles(store, tmp_path, monkeypatch):
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    models = FolderStorage(tmp_path / "models")
    versions = [promote_model(models, tmp_path / "1", "1.0")]
    settings = Settings(model_uri=models.uri(), model_cache_dir=tmp_path / "cache", model_refresh_s=0.2)
    with exchange_at(401).running() as exchange:
        output = RecordedOutput(exchange)

        def promoted_and_used():
            if len(versions) == 1 and output.newest("BTCUSDT") >= 403:
                versions.append(promote_model(models, tmp_path / "2", "2.0"))
            return output.messages and output.messages[-1]["modelVersion"] == versions[-1] != versions[0]

        watch_until(store, Service(settings), output, promoted_and_used)
    rows = [row for row in store.read(FEED).to_pylist() if row["model_version"]]
    used = {row["model_version"]: row["max_rise_pct"] for row in rows}
    assert list(used) == versions
    assert list(used.values()) == [1.0, 2.0]
    batches = {(row["predicted_at"], row["model_version"]) for row in rows}
    assert len(batches) == len({predicted_at for predicted_at, _ in batches}), "a batch has one version"


def trained_on(interval):
    day = date(2020, 1, 1)
    return TrainingData(symbols=("BTCUSDT",), interval=interval, from_date=day, to_date=day, cutoff_ms={"BTCUSDT": 0}, frames=1, splits={})


def test_a_new_model_for_other_intervals_is_not_used(store, tmp_path, monkeypatch):
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setattr("coinfarm.live.watcher._STORE_PAUSE_S", 0.1)
    models = FolderStorage(tmp_path / "models")
    promote_model(models, tmp_path / "1", "1.0", training=trained_on("1m"))
    later = [("2.0", "1h", lambda: output.newest("BTCUSDT") >= 403), ("3.0", "1m", lambda: "trained on 1h" in "".join(output.notices))]
    settings = Settings(model_uri=models.uri(), model_cache_dir=tmp_path / "cache", model_refresh_s=0.2)
    with exchange_at(401).running() as exchange:
        output = RecordedOutput(exchange)

        def promoted_and_used():
            if later and later[0][2]():
                content, interval, _ = later.pop(0)
                promote_model(models, tmp_path / content, content, training=trained_on(interval))
            return output.messages and output.messages[-1]["predictions"]["maxRisePct"] == 3.0

        watch_until(store, Service(settings), output, promoted_and_used)
    rows = store.read(FEED, symbols=["BTCUSDT"])
    assert np.all(np.diff(rows["open_time"].to_numpy()) == MINUTE_MS)
    predicted = rows["max_rise_pct"].to_numpy()
    assert np.unique(predicted[~np.isnan(predicted)]).tolist() == [1.0, 3.0]


class FailingStorage(FolderStorage):
    """Does not write while the exchange's clock is in minute 404 or 405."""

    exchange = None

    def write(self, key, data, **options):
        if at(404) < self.exchange.now_ms() < at(406):
            raise Unavailable("the store cannot be reached")
        return super().write(key, data, **options)


def test_a_store_that_fails_for_a_while_loses_nothing(service, tmp_path, monkeypatch):
    monkeypatch.setattr("coinfarm.live.watcher._STORE_PAUSE_S", 0.1)
    storage = FailingStorage(tmp_path)
    store = LiveStore(storage)
    with exchange_at(401).running() as storage.exchange:
        output = RecordedOutput(storage.exchange)
        watch_to_minute(store, service, output, 408)
    assert_store_equals_backfill(store, FEED, service)
    assert_reported_once(output, store, FEED)
    assert any("the store cannot be reached" in notice for notice in output.notices)


class ReadOnlyStorage(FolderStorage):
    """Nothing can be written."""

    def write(self, key, data, **options):
        raise Forbidden("permission denied")


def test_a_store_that_cannot_be_written_ends_the_watch(service, tmp_path):
    with exchange_at(401).running() as exchange, pytest.raises(Forbidden):
        watch_to_minute(LiveStore(ReadOnlyStorage(tmp_path)), service, RecordedOutput(exchange), 404)


def test_a_restricted_location_ends_the_watch(store, service):
    faults = Faults(outages=[Outage(at(404), at(600), 451)])
    with exchange_at(401, faults=faults).running() as exchange:
        output = RecordedOutput(exchange)
        with pytest.raises(CoinfarmError, match="451"):
            watch_to_minute(store, service, output, 430)
        with pytest.raises(CoinfarmError, match="451"):
            watch_to_minute(store, service, output, 430)
    assert_store_equals_backfill(store, FEED, service)


def test_a_start_during_maintenance_waits_for_its_end(store, service):
    with exchange_at(401, faults=Faults(outages=[Outage(at(400), at(414))])).running() as exchange:
        output = RecordedOutput(exchange)
        watch_to_minute(store, service, output, 416)
    assert [text for text in ("does not respond since", "responds again") if not any(text in notice for notice in output.notices)] == []
    assert_store_equals_backfill(store, FEED, service)


def test_the_exchanges_clock_counts_and_the_difference_is_said(store, service):
    with exchange_at(401).running() as exchange:
        output = RecordedOutput(exchange)
        watch_to_minute(store, service, output, 404)
    assert any("clock" in notice and "ahead of" in notice for notice in output.notices)
    last = output.messages[-1]
    assert 0 <= last["predictedAt"] - last["closeTime"] < 60_000 * 4


def test_does_not_connect_again_and_again(store, service):
    with exchange_at(401, faults=Faults(closes_each=True)).running() as exchange:
        watch_to_minute(store, service, RecordedOutput(exchange), 409)
        assert 2 <= exchange.connections <= 4  # in two seconds
