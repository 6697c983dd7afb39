import subprocess
import sys

import pytest

from tests.support.demo_requests import demo_request
from tests.support.fake_models import publish_model

PREDICTED = {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5}


def test_handles_direct_requests(invoke):
    response = invoke(demo_request(201))
    assert response["model"]["name"] == "fake"
    assert [result["predictions"] for result in response["results"]] == [PREDICTED, PREDICTED]


def test_a_direct_request_can_pin_a_version(invoke, models, folder):
    other = publish_model(models, folder / "other bundle", "-2.0")
    response = invoke(demo_request(modelVersion=other))
    assert response["model"]["version"] == other
    assert response["results"][0]["predictions"]["endChangePct"] == -2.0


def test_a_warmup_loads_the_model_and_names_it(invoke, folder):
    response = invoke({"warmup": True})
    assert response["warm"] is True
    assert response["model"]["name"] == "fake"
    assert list((folder / "cache").glob("*/*/model.keras"))


def test_a_warmup_names_the_place_of_a_missing_model(invoke, monkeypatch, folder):
    monkeypatch.setenv("MODEL_URI", str(folder / "nothing here"))
    response = invoke({"warmup": True})
    assert response["status"] == 503
    assert "nothing here" in response["detail"]


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        pytest.param({"hello": "world"}, "/symbol", id="another object"),
        pytest.param({"warmup": "yes"}, "/symbol", id="an invalid warmup"),
        pytest.param({"Records": [{"eventSource": "aws:s3"}]}, "/symbol", id="records of another source"),
        pytest.param({"Records": 7}, "/symbol", id="a number of records"),
        pytest.param([1, 2], "", id="an array"),
        pytest.param(None, "", id="null"),
    ],
)
def test_rejects_other_events_as_invalid_requests(invoke, event, pointer):
    response = invoke(event)
    assert response["status"] == 422
    assert response["errors"][0]["pointer"] == pointer


def test_raises_unexpected_errors(invoke, broken_engine):
    with pytest.raises(RuntimeError):
        invoke(demo_request())


HEAVY = {"tensorflow", "keras", "pandas", "pyarrow", "matplotlib"}


@pytest.mark.parametrize(
    ("code", "more"),
    [
        pytest.param("", {"boto3", "PIL", "handler.openapi", "aws_xray_sdk"}, id="imported"),
        pytest.param(
            "handler.app.lambda_handler(http_event('GET', '/health', headers={}), LocalContext())",
            {"boto3", "PIL"},
            id="health",
        ),
        pytest.param("handler.app.lambda_handler({'Records': 7}, LocalContext())", {"boto3", "PIL"}, id="invalid event"),
    ],
)
def test_loads_no_heavy_module_before_it_is_needed(code, more):
    script = (
        f"import sys, handler.app\nfrom handler.local_events import LocalContext, http_event\n{code}\nprint(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(ran.stderr.split()) & (HEAVY | more)
