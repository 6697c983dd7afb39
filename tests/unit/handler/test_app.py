import subprocess
import sys

import pytest

from coinfarm.errors import ModelError
from handler import app
from handler.event_kinds import UnknownEvent
from tests.support.demo_requests import bucket_notification, demo_request, object_created, queue_event, scheduled_event, topic_event


def test_a_warmup_loads_the_model_and_names_it(invoke, folder):
    response = invoke({"warmup": True})
    assert (response["warm"], response["model"]["name"]) == (True, "fake")
    assert list((folder / "cache").glob("*/*/model.keras"))


def test_a_failed_warmup_raises_so_that_it_is_retried(invoke, monkeypatch, folder):
    monkeypatch.setenv("MODEL_URI", str(folder / "nothing here"))
    for event in ({"warmup": True}, scheduled_event()):
        with pytest.raises(ModelError, match="nothing here"):
            invoke(event)


def test_a_direct_request_that_fails_returns_its_problem(invoke, monkeypatch, folder):
    assert invoke(demo_request(199))["status"] == 422
    monkeypatch.setenv("MODEL_URI", str(folder / "nothing here"))
    app.service.cache_clear()
    assert invoke(demo_request())["status"] == 503


UNKNOWN = {
    "another object": {"hello": 1},
    "an empty object": {},
    "an invalid warmup": {"warmup": "yes"},
    "a request without candles": {"symbol": "DEMOUSD", "interval": "1m"},
    "null": None,
    "a list": [{"warmup": True}],
    "a topic's notification": topic_event(demo_request()),
    "no records": {"Records": []},
    "records of two services": {
        "Records": queue_event(demo_request())["Records"] + bucket_notification("candles", "a.csv", b"")["Records"]
    },
    "a failed asynchronous invocation": {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": {}},
    "a schedule of another source": {**scheduled_event(), "source": "my.scheduler"},
    "another event of EventBridge": {**object_created("candles", "a.csv", b""), "detail-type": "Object Deleted"},
}


@pytest.mark.parametrize("event", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_events_raise(invoke, event):
    with pytest.raises(UnknownEvent):
        invoke(event)


def test_raises_unexpected_errors(invoke, broken_engine):
    with pytest.raises(RuntimeError):
        invoke(demo_request())


@pytest.mark.parametrize(
    ("code", "more"),
    [
        pytest.param("", {"boto3", "PIL", "handler.openapi", "aws_xray_sdk"}, id="imported"),
        pytest.param("handler.app.lambda_handler(http_event('GET', '/health', headers={}), LocalContext())", {"boto3", "PIL"}, id="health"),
    ],
)
def test_loads_no_heavy_module_before_it_is_needed(code, more):
    setup = "import sys, handler.app\nfrom handler.local_events import LocalContext, http_event"
    script = f"{setup}\n{code}\nprint(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(ran.stderr.split()) & ({"tensorflow", "keras", "pandas", "pyarrow", "matplotlib"} | more)
