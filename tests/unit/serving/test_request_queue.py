"""Concurrent requests: who gets which response, what is shared, and who waits for whom."""

import json
import threading
from concurrent.futures import wait

import numpy as np
import pytest

from coinfarm.errors import CandleError, InvalidInput, MalformedRequest, ModelError, NotFound, TooLarge
from coinfarm.serving import service as service_module
from coinfarm.serving.request_queue import RequestQueue
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage
from tests.support.demo_requests import demo_request
from tests.support.fake_models import FakeEngine, promote_model, publish_model

TIMEOUT_S = 20


class Engine(FakeEngine):
    """Predicts the model's number plus the pixels of each frame. It can be stopped in the middle of a call."""

    def __init__(self, bundle):
        super().__init__(bundle)
        self.calls = []
        self.may_run = threading.Event()
        self.may_run.set()
        self.is_running = threading.Event()
        self.invalid = set()

    def predict(self, frames):
        pixels = frames.sum(axis=(1, 2, 3), dtype=np.int64)
        if pixels.any():  # not the warm-up
            self.calls.append(len(frames))
            self.is_running.set()
            assert self.may_run.wait(TIMEOUT_S)
        if self.invalid & set(pixels.tolist()):
            raise RuntimeError("an invalid frame")
        return super().predict(frames) + pixels[:, None].astype(np.float32)


@pytest.fixture
def engines(monkeypatch):
    """The engines by their model's number."""
    loaded = {}
    monkeypatch.setattr(service_module, "load_engine", lambda bundle, *_: loaded.setdefault(number_of(bundle), Engine(bundle)))
    return loaded


def number_of(bundle):
    return float((bundle.folder / "model.keras").read_text())


@pytest.fixture
def models(tmp_path):
    return open_storage(str(tmp_path / "models"))


@pytest.fixture
def service(models, engines, tmp_path):
    """A service whose model's number is 0.5, without a prediction cache."""
    promote_model(models, tmp_path / "bundle", "0.5")
    settings = Settings(
        model_uri=models.uri(), model_cache_dir=tmp_path / "cache", model_refresh_s=0, prediction_cache_frames=0, max_frames=300
    )
    service = Service(settings)
    service.model()
    return service


@pytest.fixture
def queue(service, engines):
    queue = RequestQueue(service)
    yield queue
    for engine in engines.values():
        engine.may_run.set()
    queue.close()


@pytest.fixture
def engine(service, engines):
    return engines[0.5]


def body(first=0, count=200, **fields):
    request = demo_request(first + count, **fields)
    return json.dumps(request | {"candles": request["candles"][first:]}).encode()


def values(future):
    return [result["predictions"]["maxRisePct"] for result in future.result(TIMEOUT_S)["results"]]


def start_and_hold(queue, engine, request):
    """Pass a request to the queue, and wait until the engine is in the middle of it."""
    engine.may_run.clear()
    engine.is_running.clear()
    future = queue.predict(request)
    assert engine.is_running.wait(TIMEOUT_S)
    return future


def test_each_request_gets_its_own_predictions(queue, engine):
    expected = values(queue.predict(body(count=239)))
    assert len(set(expected)) > 30, "windows can be told apart"
    held = start_and_hold(queue, engine, body())
    short = [queue.predict(body(first)) for first in range(40)]
    several = queue.predict(body(count=205))
    engine.may_run.set()
    assert [values(future) for future in short] == [[value] for value in expected]
    assert values(several) == expected[:6]
    assert values(held) == expected[:1]


def test_a_single_request_is_not_delayed_and_waiting_ones_share_calls(queue, engine):
    held = start_and_hold(queue, engine, body())
    waiting = [queue.predict(body(first)) for first in range(10)]
    engine.may_run.set()
    wait([held, *waiting], TIMEOUT_S)
    assert engine.calls == [1, 4, 4, 2]


def test_resolves_in_order_of_arrival(queue, engine):
    resolved = []
    held = start_and_hold(queue, engine, body())
    for number in range(12):
        queue.predict(body(number)).add_done_callback(lambda _, number=number: resolved.append(number))
    last = queue.predict(body())
    engine.may_run.set()
    wait([held, last], TIMEOUT_S)
    assert resolved == list(range(12))


def test_an_invalid_request_does_not_affect_the_others(queue, engine):
    held = start_and_hold(queue, engine, body())
    invalid = {
        b"{": MalformedRequest,
        body(symbol="?"): InvalidInput,
        body(count=199): CandleError,
        body(count=600): TooLarge,
        body(modelVersion="20990101-00000000"): NotFound,
    }
    futures = [(queue.predict(request), queue.predict(body(1)), kind) for request, kind in invalid.items()]
    engine.may_run.set()
    for rejected, valid, kind in futures:
        assert isinstance(rejected.exception(TIMEOUT_S), kind)
        assert len(values(valid)) == 1
    assert values(held)


def test_an_engine_error_reaches_only_its_request(queue, engine):
    expected = values(queue.predict(body(count=215)))
    failing = 5
    engine.invalid = {round(expected[failing] - engine.value)}
    held = start_and_hold(queue, engine, body())
    futures = [queue.predict(body(first)) for first in range(16)]
    engine.may_run.set()
    for first, future in enumerate(futures):
        if expected[first] == expected[failing]:
            assert isinstance(future.exception(TIMEOUT_S), RuntimeError)
        else:
            assert values(future) == [expected[first]]
    assert values(held)


def test_without_a_model_every_request_fails(engines, tmp_path):
    queue = RequestQueue(Service(Settings(model_uri=str(tmp_path / "nowhere"), model_cache_dir=tmp_path / "cache")))
    futures = [queue.predict(body(first, count)) for first in range(3) for count in (200, 260)]
    queue.close()
    assert {type(future.exception(0)) for future in futures} == {ModelError}


def test_every_response_names_the_model_that_predicted_it(queue, engine, models, tmp_path):
    numbers = {queue.predict(body()).result(TIMEOUT_S)["model"]["version"]: 0.5}
    futures = []
    for number in (10_000.5, 20_000.5, 30_000.5):
        futures += [queue.predict(body(first, count)) for first in range(20) for count in (200, 230)]
        numbers[promote_model(models, tmp_path / f"{number}", f"{number}")] = number
    wait(futures, TIMEOUT_S)  # a request uses the old model while another loads the new one
    last = queue.predict(body())
    pixels = np.array(values(queue.predict(body(count=250, modelVersion=next(iter(numbers)))))) - 0.5
    for at, future in enumerate(futures):
        document = future.result(TIMEOUT_S)
        first, frames = at // 2 % 20, (1, 31)[at % 2]
        assert values(future) == (pixels[first : first + frames] + numbers[document["model"]["version"]]).tolist()
    assert last.result(TIMEOUT_S)["model"]["version"] == list(numbers)[-1]


def test_a_pinned_version_is_used(queue, models, tmp_path):
    version = publish_model(models, tmp_path / "pinned", "7.5")
    assert queue.predict(body(modelVersion=version)).result(TIMEOUT_S)["model"]["version"] == version


@pytest.mark.parametrize("count", [260, 480], ids=["short body", "long body"])
def test_short_requests_go_before_the_next_batch_of_a_long_one(queue, engine, monkeypatch, count):
    monkeypatch.setattr("coinfarm.serving.request_queue.available_cores", lambda: 2)
    long = start_and_hold(queue, engine, body(count=count))
    short = [queue.predict(body(first)) for first in range(8)]
    engine.may_run.set()
    wait(short, TIMEOUT_S)
    assert len(values(long)) == count - 199
    assert sum(engine.calls) == count - 199 + 8
    assert max(engine.calls) == 16
    assert engine.calls.index(4) <= 2, "after the batch that was running, and perhaps one that was started at the same time"


def test_a_long_request_makes_progress_while_short_ones_keep_coming(queue, engine):
    long = queue.predict(body(count=400))
    sent = 0
    while not long.done():
        assert values(queue.predict(body(sent % 100)))
        sent += 1
        assert sent < 500
    assert len(values(long)) == 201


def test_close_finishes_all_requests(service, engine):
    queue = RequestQueue(service)
    held = start_and_hold(queue, engine, body())
    futures = [held, *(queue.predict(body(first, count)) for first in range(10) for count in (200, 260))]
    closing = threading.Thread(target=queue.close)
    closing.start()
    engine.may_run.set()
    closing.join(TIMEOUT_S)
    assert not closing.is_alive()
    assert [len(values(future)) for future in futures] == [1, *[1, 61] * 10]


def test_reports_the_frames_of_every_predictor(service, engine):
    frames = []
    queue = RequestQueue(service, lambda predictor: frames.append(predictor.timings.frames))
    for count in (200, 210, 260):
        queue.predict(body(count=count)).result(TIMEOUT_S)
    queue.close()
    assert sum(frames) == 1 + 11 + 61
