import subprocess
import sys

import pytest

from tests.support.demo_requests import demo_request
from tests.support.fake_models import publish_model

PREDICTED = {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5}


def test_a_request_itself_is_answered(invoke):
    answer = invoke(demo_request(201))
    assert answer["model"]["name"] == "fake"
    assert [result["predictions"] for result in answer["results"]] == [PREDICTED, PREDICTED]


def test_a_request_can_pin_a_version(invoke, models, folder):
    other = publish_model(models, folder / "other bundle", "-2.0")
    answer = invoke(demo_request(modelVersion=other))
    assert answer["model"]["version"] == other
    assert answer["results"][0]["predictions"]["endChangePct"] == -2.0


def test_a_warmup_loads_the_model_and_says_which(invoke, folder):
    answer = invoke({"warmup": True})
    assert answer["warm"] is True
    assert answer["model"]["name"] == "fake"
    assert list((folder / "cache").glob("*/*/model.keras"))


def test_a_warmup_without_a_model_says_where_it_is_missing(invoke, monkeypatch, folder):
    monkeypatch.setenv("MODEL_URI", str(folder / "nothing here"))
    answer = invoke({"warmup": True})
    assert answer["status"] == 503
    assert "nothing here" in answer["detail"]


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        pytest.param({"hello": "world"}, "/symbol", id="another object"),
        pytest.param({"warmup": "yes"}, "/symbol", id="nearly a warmup"),
        pytest.param({"Records": []}, "/symbol", id="no records"),
        pytest.param({"Records": [{"eventSource": "aws:s3"}]}, "/symbol", id="records of another source"),
        pytest.param({"Records": ["record"]}, "/symbol", id="records that are none"),
        pytest.param({"Records": 7}, "/symbol", id="a number of records"),
        pytest.param([1, 2], "", id="an array"),
        pytest.param("hello", "", id="a string"),
        pytest.param(None, "", id="null"),
    ],
)
def test_an_event_of_no_known_kind_is_refused_as_a_request(invoke, event, pointer):
    answer = invoke(event)
    assert answer["status"] == 422
    assert answer["errors"][0]["pointer"] == pointer


def test_a_refused_request_is_answered_with_a_problem_document(invoke):
    request = demo_request()
    request["candles"][17][2] = "1"
    assert invoke(request)["errors"][0] == {"pointer": "/candles/17/high", "detail": "is below the open"}


def test_an_unexpected_error_is_left_for_lambda_to_report(invoke, broken_engine):
    with pytest.raises(RuntimeError, match="on fire"):
        invoke(demo_request())


def test_a_setting_that_cannot_be_is_named(invoke, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "many")
    answer = invoke(demo_request())
    assert (answer["status"], answer["title"]) == (503, "Service misconfigured")
    assert answer["detail"].startswith("MAX_BATCH='many': ")


HEAVY = {"tensorflow", "keras", "pandas", "pyarrow", "matplotlib"}


@pytest.mark.parametrize(
    ("code", "more"),
    [
        pytest.param("", {"boto3", "PIL", "handler.openapi", "aws_xray_sdk"}, id="imported"),
        pytest.param(
            "handler.app.lambda_handler(http_event('GET', '/health', headers={}), LocalContext())",
            {"boto3", "PIL"},
            id="asked for its health",
        ),
        pytest.param("handler.app.lambda_handler({'Records': 7}, LocalContext())", {"boto3", "PIL"}, id="asked for nonsense"),
    ],
)
def test_the_handler_loads_nothing_heavy_before_it_is_needed(code, more):
    script = (
        f"import sys, handler.app\nfrom handler.local_events import LocalContext, http_event\n{code}\nprint(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(ran.stderr.split()) & (HEAVY | more)
