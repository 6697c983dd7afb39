import io
import json
import os
import subprocess
import sys

import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from coinfarm.aws.sqs import QueueMessage
from handler import app
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.local_events import LocalContext
from handler.telemetry import logger, print_metrics
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread
from tests.support.demo_requests import demo_request, queue_event, rest_event
from tests.support.fake_models import promote_model
from tests.support.monitoring_stack import monitoring_stack, requested_metrics


@pytest.fixture
def metrics(capsys):
    """The metrics printed since, by name; of one that was emitted several times all the values."""

    def read():
        blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert all(directive["Namespace"] == "Coinfarm" for blob in blobs for directive in blob["_aws"]["CloudWatchMetrics"])
        units = {metric["Name"]: metric["Unit"] for blob in blobs for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert all(unit == ("Milliseconds" if name.endswith("Ms") else "Count") for name, unit in units.items())
        return {name: value for blob in blobs for name, value in blob.items() if name in units}

    return read


@pytest.fixture
def logs():
    """What was logged since, line by line."""
    stream = io.StringIO()
    before = logger.registered_handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.registered_handler.setStream(before)


def test_a_prediction_is_measured(invoke, metrics):
    invoke(demo_request(210))
    found = metrics()
    assert found["Invocations"] == [1]
    assert found["Frames"] == [11]
    assert found["CachedFrames"] == [0]
    assert found["LoadMs"][0] > 0
    assert found["RenderMs"][0] > 0
    assert found["InferenceMs"][0] > 0
    assert "Failures" not in found


def test_every_metric_says_which_function_counted(invoke, capsys):
    reset_cold_start_flag()
    invoke(demo_request())
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    dimensions = {frozenset(directive["Dimensions"][0]) for blob in blobs for directive in blob["_aws"]["CloudWatchMetrics"]}
    assert dimensions == {frozenset({"function_name", "service"}), frozenset({"function_name", "service", "model_version"})}
    assert {blob["function_name"] for blob in blobs} == {LocalContext().function_name}


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "coinfarm-api"}, "coinfarm-api"),
        ({"POWERTOOLS_METRICS_FUNCTION_NAME": "coinfarm-fleet"}, "coinfarm-fleet"),
    ],
    ids=["Lambda's name of the function", "the name that a worker is given"],
)
def test_a_function_counts_under_its_name(environment, name):
    code = "import handler.telemetry as t; t.count('Frames'); t.print_metrics()"
    ran = subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["function_name"] == name


def test_frames_are_counted_by_the_version_of_the_model(invoke, capsys):
    version = invoke(demo_request(210))["model"]["version"]
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(blob["model_version"], blob["ModelFrames"]) for blob in blobs if "model_version" in blob] == [(version, [11])]


def test_a_model_is_loaded_once_and_measured_once(invoke, metrics):
    invoke(demo_request())
    metrics()
    invoke(demo_request())
    found = metrics()
    assert "LoadMs" not in found
    assert found["CachedFrames"] == [1]


def test_only_the_first_invocation_of_a_container_is_a_cold_start(invoke, metrics):
    reset_cold_start_flag()
    invoke({"warmup": True})
    assert metrics()["ColdStart"] == [1]
    invoke({"warmup": True})
    assert "ColdStart" not in metrics()


def test_a_refused_model_is_counted_while_the_old_one_serves(invoke, metrics, logs, models, folder):
    invoke(demo_request())
    promote_model(models, folder / "broken bundle", "no number")
    metrics()
    answer = invoke(demo_request())
    assert answer["results"][0]["predictions"]["maxRisePct"] == 1.5
    assert metrics()["ModelRefused"] == [1]
    assert any(line["level"] == "ERROR" and "no number" in line.get("reason", "") for line in logs())


@pytest.mark.usefixtures("broken_engine")
def test_a_failure_is_counted_and_logged_with_its_cause(invoke, metrics, logs):
    assert invoke(rest_event("POST", "/predictions", "application/json", json.dumps(demo_request()).encode()))["statusCode"] == 500
    assert metrics()["Failures"] == [1]
    assert [line["exception_name"] for line in logs() if line["level"] == "ERROR"] == ["RuntimeError"]


@pytest.mark.parametrize(
    ("event", "failures"),
    [
        (demo_request(), "Failures"),
        (rest_event("POST", "/predictions", "application/json", json.dumps(demo_request()).encode()), "Failures"),
        (queue_event({**demo_request(), "resultsUri": "result.json"}), "FailedRecords"),
    ],
    ids=["direct", "API", "queue"],
)
def test_a_model_that_is_missing_is_a_failure_at_every_entrance(invoke, metrics, monkeypatch, event, failures):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    invoke(event)
    found = metrics()
    assert (found[failures], found["ModelRefused"]) == ([1], [1])


def test_a_refused_request_is_logged_and_counted_and_is_no_failure(invoke, metrics, logs):
    invoke(demo_request(199))
    found = metrics()
    assert (found["Refusals"], "Failures" in found) == ([1], False)
    assert [line["problem"]["status"] for line in logs()] == [422]


def test_a_failed_record_is_counted_and_logged_by_its_message(invoke, metrics, logs):
    event = queue_event({**demo_request(), "resultsUri": "good.json"}, {**demo_request(), "resultsUri": "bad.csv"})
    invoke(event)
    found = metrics()
    assert (found["FailedRecords"], found["Frames"]) == ([1], [1])
    assert [line["message_id"] for line in logs() if line["level"] == "WARNING"] == [event["Records"][1]["messageId"]]


def count_as_the_api(invoke, without_model):
    post = ("POST", "/predictions", "application/json")
    invoke(rest_event(*post, json.dumps(demo_request()).encode()))
    invoke(rest_event(*post, json.dumps(demo_request(199)).encode()))
    without_model()
    invoke(rest_event(*post, json.dumps(demo_request()).encode()))


def count_as_the_queue(invoke, without_model):
    invoke(queue_event({**demo_request(), "resultsUri": "good.json"}, {**demo_request(), "resultsUri": "bad.csv"}))
    without_model()
    invoke(queue_event({**demo_request(), "resultsUri": "other.json"}))


class OneDelivery:
    """A queue of two messages, which ends the worker when it has given them."""

    def __init__(self, drain):
        self._drain = drain

    def receive(self, most, wait_s, visibility_timeout_s):
        bodies = {"good": json.dumps({**demo_request(), "resultsUri": "good.json"}), "bad": "{}"}
        self._drain.wait = lambda pause_s: True
        return [QueueMessage(name, body, f"receipt of {name}", 1) for name, body in bodies.items()]

    def delete(self, receipts):
        return {}

    def extend(self, receipts, visibility_timeout_s):
        return {}


def count_as_a_worker(_, without_model):
    for prepare in (lambda: None, without_model):
        prepare()
        settings, drain = WorkerSettings(queue_url="https://sqs.us-east-1.amazonaws.com/1/shards"), Drain(0)
        queue = OneDelivery(drain)
        WorkerThread("lane", settings, app.service(), queue, VisibilityExtender(queue, 60), IdleTimer(), drain).run()
        print_metrics()


@pytest.mark.parametrize(
    ("parameter", "count", "not_watched"),
    [
        pytest.param("ApiFunctionName", count_as_the_api, {"Invocations"}, id="API"),
        pytest.param("BatchFunctionName", count_as_the_queue, {"Invocations", "CachedFrames", "LoadMs"}, id="queue"),
        pytest.param("FleetGroupName", count_as_a_worker, {"CachedFrames"}, id="worker"),
    ],
)
def test_dashboard_and_alarms_ask_for_what_is_counted(invoke, capsys, monkeypatch, parameter, count, not_watched):
    """Not only the names: CloudWatch knows a metric by all its dimensions, and shows nothing where one is missing."""

    def without_model():
        app.service.cache_clear()
        monkeypatch.setenv("MODEL_URI", "/nowhere")

    reset_cold_start_flag()
    count(invoke, without_model)
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = {
        (directive["Namespace"], metric["Name"], frozenset((name, blob[name]) for name in directive["Dimensions"][0]))
        for blob in blobs
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    asked = {tuple(metric) for metric in requested_metrics(monitoring_stack(**{parameter: LocalContext().function_name}))}
    asked = {metric for metric in asked if ("function_name", LocalContext().function_name) in metric[2]}
    assert asked <= counted
    assert {name for _, name, _ in counted - asked} == {"ModelFrames", *not_watched}, "ModelFrames are searched for, by version"


def test_every_line_carries_the_id_of_its_request(models, folder, logs):
    first, second = LocalContext(), LocalContext()
    app.lambda_handler(demo_request(199), first)
    app.lambda_handler(demo_request(), second)
    lines = logs()
    assert [(line["function_request_id"], line["message"].split()[0]) for line in lines] == [
        (first.aws_request_id, "request"),
        (second.aws_request_id, "Model"),  # logged by coinfarm.models
    ]


@pytest.mark.parametrize(
    ("environment", "is_loaded"),
    [({}, False), ({"POWERTOOLS_TRACE_DISABLED": "true"}, False), ({"POWERTOOLS_TRACE_DISABLED": "false"}, True)],
    ids=["by default", "off", "on"],
)
def test_the_tracing_sdk_is_loaded_only_where_tracing_is_asked_for(environment, is_loaded):
    code = "import sys, handler.app; print('aws_xray_sdk' in sys.modules)"
    inherited = {name: value for name, value in os.environ.items() if name != "POWERTOOLS_TRACE_DISABLED"}
    ran = subprocess.run([sys.executable, "-c", code], env=inherited | environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(is_loaded)


def test_where_metrics_are_off_nothing_is_printed():
    code = "from handler.app import lambda_handler; from handler.local_events import LocalContext; lambda_handler(None, LocalContext())"
    environment = os.environ | {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "ERROR"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")
