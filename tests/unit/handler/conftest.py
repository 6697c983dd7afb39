"""The handler with a model root in a folder and an engine that predicts a constant."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coinfarm.storage import Storage, open_storage
from handler import app
from handler.local_events import LocalContext
from tests.support.demo_requests import ApiResponse, failed_ids, http_event, queue_event, rest_event
from tests.support.fake_models import FakeEngine, promote_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The parent of the folders models, candles and results."""
    return tmp_path


@pytest.fixture
def models(folder: Path) -> Storage:
    """A model root with one version, which is in service and predicts 1.5."""
    storage = open_storage(str(folder / "models"))
    promote_model(storage, folder / "first bundle", "1.5")
    return storage


@pytest.fixture(autouse=True)
def container(models: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new container without any invocation."""
    variables = {
        "MODEL_URI": models.uri(),
        "MODEL_CACHE_DIR": folder / "cache",
        "MODEL_REFRESH_S": 0,
        "CANDLES_ROOT": folder / "candles",
        "RESULTS_ROOT": folder / "results",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    app.service.cache_clear()
    yield
    app.service.cache_clear()


@pytest.fixture(autouse=True)
def engine_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of frames of each engine call."""
    calls: list[int] = []

    class Engine(FakeEngine):
        def predict(self, frames: Any) -> Any:
            if frames.any():  # the model manager warms up with empty frames
                calls.append(len(frames))
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))
    return calls


@pytest.fixture
def broken_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that fails for every frame but the empty ones of the warm-up."""

    class Engine(FakeEngine):
        def predict(self, frames: Any) -> Any:
            if frames.any():
                raise RuntimeError("segment 7 of /opt/secret is on fire")
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """`time.monotonic` as a clock that the test advances: `clock[0] += 10`."""
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def invoke() -> Callable[[Any], Any]:
    """Invoke the handler with an event."""
    return lambda event: app.lambda_handler(event, LocalContext())


@pytest.fixture(params=[rest_event, http_event], ids=["REST", "HTTP"])
def api_event(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Makes events of a REST API or an HTTP API; tests run with both."""
    return request.param


@pytest.fixture
def send(api_event: Callable[..., dict[str, Any]], invoke: Callable[[Any], Any]) -> Callable[..., ApiResponse]:
    """Send a request through API Gateway: `send("POST", "/predictions", {…})`, or bytes and their media type; `event` overrides fields."""

    def send(
        method: str,
        path: str,
        body: Any = b"",
        media_type: str = "application/json",
        *,
        query: dict[str, str] | None = None,
        event: dict[str, Any] | None = None,
    ) -> ApiResponse:
        made = api_event(method, path, media_type, body if isinstance(body, bytes) else json.dumps(body).encode())
        made["queryStringParameters"] = query
        made["multiValueQueryStringParameters"] = query and {name: [value] for name, value in query.items()}
        return ApiResponse.of(invoke(made | (event or {})))

    return send


@pytest.fixture
def deliver(invoke: Callable[[Any], Any]) -> Callable[..., list[int]]:
    """Invoke the handler with SQS messages (a string is a raw body); return the indices of those that failed."""

    def deliver(*messages: Any) -> list[int]:
        event = queue_event(*messages)
        for record, message in zip(event["Records"], messages, strict=True):
            record["body"] = message if isinstance(message, str) else record["body"]
        ids = [record["messageId"] for record in event["Records"]]
        return [ids.index(failed) for failed in failed_ids(invoke(event))]

    return deliver


@dataclass(frozen=True)
class Results:
    """The folder of results; `results["name"]` is the content of `name.json`."""

    folder: Path

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def __getitem__(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())


@pytest.fixture
def results(folder: Path) -> Results:
    return Results(folder / "results")
