"""The handler as Lambda starts it, over a model root in a folder and an engine that answers with a number."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coinfarm.storage import Storage, open_storage
from handler import app
from handler.local_events import LocalContext
from tests.support.demo_requests import ApiResponse, http_event, rest_event
from tests.support.fake_models import FakeEngine, promote_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where models, candles and results lie, each in a folder of that name."""
    return tmp_path


@pytest.fixture
def models(folder: Path) -> Storage:
    """A model root with one version, which serves and answers 1.5."""
    storage = open_storage(str(folder / "models"))
    promote_model(storage, folder / "first bundle", "1.5")
    return storage


@pytest.fixture(autouse=True)
def container(models: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A container that has not yet seen an event."""
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
    """How many frames the engine was given, call by call."""
    calls: list[int] = []

    class Engine(FakeEngine):
        def predict(self, frames: Any) -> Any:
            if frames.any():  # the manager warms a model up with an empty frame
                calls.append(len(frames))
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))
    return calls


@pytest.fixture
def broken_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is well until it sees a frame with something in it."""

    class Engine(FakeEngine):
        def predict(self, frames: Any) -> Any:
            if frames.any():
                raise RuntimeError("segment 7 of /opt/secret is on fire")
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: Engine(bundle))


@pytest.fixture
def invoke() -> Callable[[Any], Any]:
    """Give the handler an event."""
    return lambda event: app.lambda_handler(event, LocalContext())


@pytest.fixture(params=[rest_event, http_event], ids=["REST", "HTTP"])
def api_event(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Either shape of API Gateway's events; a test that uses it runs with both."""
    return request.param


@pytest.fixture
def ask(api_event: Callable[..., dict[str, Any]], invoke: Callable[[Any], Any]) -> Callable[..., ApiResponse]:
    """Send a request through API Gateway: `ask("POST", "/predictions", {…})`, or bytes and their media type; `event` are changes."""

    def answer(
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

    return answer
