import subprocess
import sys

import pytest

from tests.support.demo_requests import demo_request


def test_a_warmup_loads_the_model_and_names_it(invoke, folder):
    response = invoke({"warmup": True})
    assert (response["warm"], response["model"]["name"]) == (True, "fake")
    assert list((folder / "cache").glob("*/*/model.keras"))


def test_a_warmup_names_the_place_of_a_missing_model(invoke, monkeypatch, folder):
    monkeypatch.setenv("MODEL_URI", str(folder / "nothing here"))
    response = invoke({"warmup": True})
    assert response["status"] == 503
    assert "nothing here" in response["detail"]


@pytest.mark.parametrize(
    ("event", "pointer"),
    [({"hello": 1}, "/symbol"), ({"warmup": "yes"}, "/symbol"), ({"Records": [{"eventSource": "aws:s3"}]}, "/symbol"), (None, "")],
    ids=["another object", "an invalid warmup", "records of another source", "null"],
)
def test_rejects_other_events_as_invalid_requests(invoke, event, pointer):
    response = invoke(event)
    assert response["status"] == 422
    assert response["errors"][0]["pointer"] == pointer


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
