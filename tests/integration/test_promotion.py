"""A model version promoted in S3 while the handler serves requests."""

import json
import threading
import time

import pytest

from coinfarm.models.pointer import rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import open_storage
from handler.app import lambda_handler
from handler.local_events import LocalContext
from tests.support.demo_requests import demo_request, rest_event
from tests.support.fake_models import FakeEngine, publish_model

pytestmark = pytest.mark.enable_socket


class RequestLoop:
    """Requests to the handler one after another in a thread, and the model version of each response."""

    def __init__(self):
        self.versions, self.failures = [], []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _run(self):
        event = rest_event("POST", "/predictions", "application/json", json.dumps(demo_request()).encode())
        while not self._stop.is_set():
            response = lambda_handler(event, LocalContext())
            if response["statusCode"] == 200:
                self.versions.append(json.loads(response["body"])["model"]["version"])
            else:
                self.failures.append(response)

    def wait_for(self, count):
        """Wait for that many more responses."""
        last = len(self.versions) + len(self.failures) + count
        while len(self.versions) + len(self.failures) < last:
            assert self._thread.is_alive(), "a request raised"
            time.sleep(0.001)


@pytest.fixture
def models(s3, tmp_path):
    """A new model root with two versions, of which the first is in service."""
    storage = open_storage(f"s3://models/{tmp_path.name}")
    first, second = (publish_model(storage, tmp_path / name, name) for name in ("1.0", "2.0"))
    promote(storage, first)
    return storage, first, second


@pytest.fixture
def requests(container, models, monkeypatch):
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    with container(MODEL_URI=models[0].uri(), MODEL_REFRESH_S="0.01"):
        requests = RequestLoop()
        requests.wait_for(5)
        yield requests
        requests.stop()


def changes(versions):
    """The versions in the order in which they took over."""
    return [version for at, version in enumerate(versions) if at == 0 or versions[at - 1] != version]


def test_a_promotion_is_picked_up_without_a_failed_request(requests, models):
    storage, first, second = models
    promote(storage, second)
    requests.wait_for(20)
    rollback(storage)
    requests.wait_for(20)
    assert requests.failures == []
    assert changes(requests.versions) == [first, second, first]


def test_a_broken_version_never_serves_and_no_request_fails(requests, models, tmp_path):
    storage, first, second = models
    broken = publish_model(storage, tmp_path / "broken", "not a number")
    promote(storage, broken)
    requests.wait_for(20)
    assert changes(requests.versions) == [first]
    promote(storage, second)
    requests.wait_for(20)
    assert requests.failures == []
    assert changes(requests.versions) == [first, second]
