"""The handler with a model root in a folder and an engine that predicts a constant."""

import json
from types import SimpleNamespace

import pytest

from coinfarm.storage import open_storage
from handler import app
from handler.local_events import LocalContext
from tests.support.demo_requests import ApiResponse, failed_ids, http_event, multi_value_event, queue_event, rest_event
from tests.support.fake_models import FakeEngine, promote_model
from tests.support.filled_live_store import LIVE_CANDLES, filled_live_store


@pytest.fixture
def folder(tmp_path):
    """The parent of the folders models, candles and results."""
    return tmp_path


@pytest.fixture
def models(folder):
    """A model root with one version, which is in service and predicts 1.5."""
    storage = open_storage(str(folder / "models"))
    promote_model(storage, folder / "first bundle", "1.5")
    return storage


@pytest.fixture
def version():
    """The version in service."""
    return app.service().model().bundle.manifest.version


@pytest.fixture
def store(tmp_path, version):
    """A live store with the first 280 of `LIVE_CANDLES`."""
    return filled_live_store(tmp_path / "live", LIVE_CANDLES, 280, version)


@pytest.fixture(autouse=True)
def container(models, folder, monkeypatch):
    """A new container without any invocation."""
    monkeypatch.setenv("MODEL_URI", models.uri())
    monkeypatch.setenv("MODEL_REFRESH_S", "0")
    for name, place in (("MODEL_CACHE_DIR", "cache"), ("CANDLES_ROOT", "candles"), ("RESULTS_ROOT", "results")):
        monkeypatch.setenv(name, str(folder / place))
    app.service.cache_clear()
    yield
    app.service.cache_clear()


@pytest.fixture(autouse=True)
def engine_calls(monkeypatch):
    """The number of frames of each engine call, except for the empty frames of the model manager's warm-up."""
    calls = []

    class Engine(FakeEngine):
        def predict(self, frames):
            if frames.any():
                calls.append(len(frames))
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))
    return calls


@pytest.fixture
def broken_engine(engine_calls, monkeypatch):
    """An engine that fails for every frame but the empty ones of the warm-up."""

    class Engine(FakeEngine):
        def predict(self, frames):
            if frames.any():
                raise RuntimeError("segment 7 of /opt/secret is on fire")
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))


@pytest.fixture
def clock(monkeypatch):
    """`time.monotonic` as a clock that the test advances: `clock[0] += 10`."""
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def invoke():
    """Invoke the handler with an event."""
    return lambda event: app.lambda_handler(event, LocalContext())


@pytest.fixture(params=[rest_event, http_event, multi_value_event], ids=["REST", "HTTP", "load balancer"])
def api_event(request):
    """Makes events of a REST API, an HTTP API or a load balancer; tests run with each."""
    return request.param


@pytest.fixture
def send(api_event, invoke):
    """Send a request through API Gateway: `send("POST", "/predictions", {…})`, or bytes and their media type; `event` overrides fields."""

    def send(method, path, body=b"", media_type="application/json", *, query=None, event=None):
        made = api_event(method, path, media_type, body if isinstance(body, bytes) else json.dumps(body).encode())
        made["queryStringParameters"] = query
        made["multiValueQueryStringParameters"] = query and {name: [value] for name, value in query.items()}
        return ApiResponse.of(invoke(made | (event or {})))

    return send


@pytest.fixture
def deliver(invoke):
    """Invoke the handler with SQS messages (a string is a raw body); return the indices of those that failed."""

    def deliver(*messages):
        event = queue_event(*messages)
        for record, message in zip(event["Records"], messages, strict=True):
            record["body"] = message if isinstance(message, str) else record["body"]
        ids = [record["messageId"] for record in event["Records"]]
        return [ids.index(failed) for failed in failed_ids(invoke(event))]

    return deliver


@pytest.fixture
def results(folder):
    """The folder of results, the names of its files, and `read("name")`, the content of `name.json`."""
    folder = folder / "results"
    return SimpleNamespace(
        folder=folder,
        names=lambda: sorted(path.name for path in folder.rglob("*") if path.is_file()),
        read=lambda name: json.loads((folder / f"{name}.json").read_text()),
    )
