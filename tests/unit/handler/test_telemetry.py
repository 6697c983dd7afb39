import io
import json
import os
import subprocess
import sys

import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from handler import app
from handler.local_events import LocalContext
from handler.telemetry import logger
from tests.support.demo_requests import demo_request, queue_event, rest_event
from tests.support.fake_models import promote_model


@pytest.fixture
def metrics(capsys):
    """The metrics printed since the last call, by name."""

    def read():
        blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert all(directive["Namespace"] == "Coinfarm" for blob in blobs for directive in blob["_aws"]["CloudWatchMetrics"])
        units = {metric["Name"]: metric["Unit"] for blob in blobs for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert all(unit == ("Milliseconds" if name.endswith("Ms") else "Count") for name, unit in units.items())
        return {name: value for blob in blobs for name, value in blob.items() if name in units}

    return read


@pytest.fixture
def logs():
    """The log lines so far."""
    stream = io.StringIO()
    before = logger.registered_handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.registered_handler.setStream(before)


def test_metrics_have_the_function_and_frames_the_version(invoke, capsys):
    reset_cold_start_flag()
    version = invoke(demo_request(210))["model"]["version"]
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    dimensions = {frozenset(directive["Dimensions"][0]) for blob in blobs for directive in blob["_aws"]["CloudWatchMetrics"]}
    assert dimensions == {frozenset({"function_name", "service"}), frozenset({"function_name", "service", "model_version"})}
    assert {blob["function_name"] for blob in blobs} == {LocalContext().function_name}
    assert [(blob["model_version"], blob["ModelFrames"]) for blob in blobs if "model_version" in blob] == [(version, [11])]


def run(code, **environment):
    """What the code prints in another process: settings of Powertools are read when it is imported."""
    ran = subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "coinfarm-api"}, "coinfarm-api"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "coinfarm-api", "POWERTOOLS_METRICS_FUNCTION_NAME": "coinfarm-fleet"}, "coinfarm-fleet"),
    ],
    ids=["Lambda", "worker"],
)
def test_function_name_from_the_environment(environment, name):
    printed = run("import handler.telemetry as t; t.count('Frames'); t.print_metrics()", **environment)
    assert json.loads(printed)["function_name"] == name


def test_tracing_can_be_enabled_and_metrics_disabled():
    """Without tracing its SDK is not loaded: test_app.py."""
    code = "import sys; from handler.app import lambda_handler; from handler.local_events import LocalContext"
    code += "; lambda_handler({'candles': []}, LocalContext()) if 'aws_xray_sdk' not in sys.modules else print('traced')"
    environment = {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "ERROR"}
    assert run(code, **environment) == ""
    assert run(code, **environment, POWERTOOLS_TRACE_DISABLED="false") == "traced\n"


def test_metrics_of_predictions_and_of_a_rejected_version(invoke, metrics, logs, models, folder):
    invoke(demo_request())
    first = metrics()
    assert (first["Invocations"], first["Frames"], first["CachedFrames"]) == ([1], [1], [0])
    assert all(first[name][0] > 0 for name in ("LoadMs", "RenderMs", "InferenceMs"))
    assert not first.keys() & {"Failures", "RejectedRequests", "ModelRejected"}
    promote_model(models, folder / "broken bundle", "not a number")
    invoke(demo_request())
    second = metrics()
    assert "LoadMs" not in second
    assert (second["CachedFrames"], second["ModelRejected"]) == ([1], [1])
    assert any(line["level"] == "ERROR" and "not a number" in line.get("reason", "") for line in logs())


API_EVENT = rest_event("POST", "/predictions", "application/json", json.dumps(demo_request()).encode())
MESSAGES = queue_event({**demo_request(), "resultsUri": "good.json"}, {**demo_request(), "resultsUri": "bad.csv"})


@pytest.mark.parametrize(
    ("event", "failures"),
    [(demo_request(), {"Failures": [1]}), (API_EVENT, {"Failures": [1]}), (MESSAGES, {"FailedMessages": [1, 1]})],
    ids=["direct", "API", "queue"],
)
def test_a_missing_model_is_a_failure_at_every_entry_point(invoke, metrics, monkeypatch, event, failures):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    invoke(event)
    found = metrics()
    assert found | failures | {"ModelRejected": [1]} == found


def test_counts_and_logs_failures_rejected_requests_and_failed_messages(invoke, metrics, logs, request):
    invoke(demo_request(199))
    found = metrics()
    assert (found["RejectedRequests"], "Failures" in found) == ([1], False)
    assert [line["problem"]["status"] for line in logs()] == [422]
    invoke(MESSAGES)
    found = metrics()
    assert (found["FailedMessages"], found["Frames"]) == ([1], [1])
    assert [line["message_id"] for line in logs() if line["level"] == "WARNING"] == [MESSAGES["Records"][1]["messageId"]]
    request.getfixturevalue("broken_engine")
    app.service.cache_clear()
    assert invoke(API_EVENT)["statusCode"] == 500
    assert metrics()["Failures"] == [1]
    assert [line["exception_name"] for line in logs() if line["level"] == "ERROR"] == ["RuntimeError"]


def test_log_lines_have_the_request_id(models, folder, logs):
    first, second = LocalContext(), LocalContext()
    app.lambda_handler(demo_request(199), first)
    app.lambda_handler(demo_request(), second)
    lines = logs()
    assert [(line["function_request_id"], line["message"].split()[0]) for line in lines] == [
        (first.aws_request_id, "request"),
        (second.aws_request_id, "Model"),  # logged by coinfarm.models
    ]
