"""A model version promoted in S3 while requests flow through the handler."""

import json
import threading
import time

import pytest

from coinfarm.models.pointer import rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import open_storage
from handler.app import lambda_handler
from handler.local_events import LocalContext
from tests.support.demo_requests import demo_request, queue_event, rest_event
from tests.support.fake_models import FakeEngine, publish_model

pytestmark = pytest.mark.enable_socket


class Flow:
    """Requests one after another, as a container gets them, and the version that answered each."""

    def __init__(self):
        self.versions = []
        self.failures = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

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
        """Until so many more requests were answered or failed."""
        last = len(self.versions) + len(self.failures) + count
        deadline = time.monotonic() + 30
        while len(self.versions) + len(self.failures) < last:
            assert self._thread.is_alive(), "a request raised"
            assert time.monotonic() < deadline, "requests do not flow"
            time.sleep(0.001)


@pytest.fixture
def models(s3, tmp_path):
    """A model root of this test's own, and two versions, of which the first serves."""
    storage = open_storage(f"s3://models/{tmp_path.name}")
    first, second = (publish_model(storage, tmp_path / name, name) for name in ("1.0", "2.0"))
    promote(storage, first)
    return storage, first, second


@pytest.fixture
def flow(container, models, monkeypatch):
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    with container(MODEL_URI=models[0].uri(), MODEL_REFRESH_S="0.01"), Flow() as flow:
        flow.wait_for(5)
        yield flow


def changes(versions):
    """Each version that served, once for every time that it took over."""
    return [version for at, version in enumerate(versions) if at == 0 or versions[at - 1] != version]


def test_a_promoted_version_is_picked_up_without_a_request_failing(flow, models):
    storage, first, second = models
    promote(storage, second)
    flow.wait_for(50)
    rollback(storage)
    flow.wait_for(50)
    assert flow.failures == []
    assert changes(flow.versions) == [first, second, first]


def test_a_broken_version_is_not_picked_up_and_no_request_fails(flow, models, tmp_path):
    storage, first, second = models
    broken = publish_model(storage, tmp_path / "broken", "no number")
    promote(storage, broken)
    flow.wait_for(50)
    assert changes(flow.versions) == [first]
    promote(storage, second)
    flow.wait_for(50)
    assert flow.failures == []
    assert changes(flow.versions) == [first, second]


def test_a_message_keeps_the_version_that_it_pins(flow, models, s3):
    storage, first, second = models
    promote(storage, second)
    flow.wait_for(50)
    flow.stop()  # a container works on one event at a time
    event = queue_event({**demo_request(), "modelVersion": first, "resultsUri": "pinned.json"})
    assert lambda_handler(event, LocalContext()) == {"batchItemFailures": []}
    assert json.loads(s3.get_object(Bucket="results", Key="pinned.json")["Body"].read())["model"]["version"] == first
