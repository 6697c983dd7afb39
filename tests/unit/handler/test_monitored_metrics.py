"""The dashboard and the alarms use metrics that the functions and the worker emit."""

import json

import moto
import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from coinfarm.errors import ModelError, NotFound
from coinfarm.models.evaluations import store_evaluation
from coinfarm.storage import open_storage
from handler import app, live_score_metrics
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.local_events import LocalContext
from handler.telemetry import print_metrics
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread
from tests.support.demo_requests import demo_request, queue_event, rest_event
from tests.support.fake_queue import FakeQueue, received
from tests.support.live_predictions import FEED, candles_of, evaluation_with_reference, write_rows
from tests.support.live_schedules import exchange_of_the_handler, live_event
from tests.support.monitoring_stack import monitoring_stack, requested_metrics
from tests.support.synthetic_candles import MINUTE_MS


def run_api(invoke, without_model):
    post = ("POST", "/predictions", "application/json")
    invoke(rest_event(*post, json.dumps(demo_request()).encode()))
    invoke(rest_event(*post, json.dumps(demo_request(199)).encode()))
    without_model()
    invoke(rest_event(*post, json.dumps(demo_request()).encode()))


def run_queue(invoke, without_model):
    invoke(queue_event({**demo_request(), "resultsUri": "good.json"}, {**demo_request(), "resultsUri": "bad.csv"}))
    without_model()
    invoke(queue_event({**demo_request(), "resultsUri": "other.json"}))


def run_worker(_, without_model):
    for prepare in (lambda: None, without_model):
        prepare()
        settings, drain = WorkerSettings(queue_url="https://sqs.us-east-1.amazonaws.com/1/shards"), Drain(0)
        queue = FakeQueue(received("good", json.dumps({**demo_request(), "resultsUri": "good.json"})), received("bad", "{}"))
        drain.wait = lambda _, queue=queue: not queue.waiting
        WorkerThread("worker-thread-1", settings, app.service(), queue, VisibilityExtender(queue, 60), IdleTimer(), drain).run()
        print_metrics()


def run_live(invoke, without_model):
    """Live predictions, once with a topic that does not exist; the scores of a store, and of a damaged one; and no model."""
    version, root = app.service().model().version, open_storage(app.service().settings.results_root)
    with exchange_of_the_handler() as exchange, moto.mock_aws():
        exchange.now_ms = exchange.rows[-1][0] + MINUTE_MS + 5_000
        invoke(live_event("BTC/USDT"))
        exchange.now_ms += MINUTE_MS
        exchange.rows = [*exchange.rows, [exchange.rows[-1][0] + MINUTE_MS, *exchange.rows[-1][1:]]]
        with pytest.raises(NotFound):
            invoke(live_event("BTC/USDT", topicArn="arn:aws:sns:us-east-1:123456789012:none"))
        document = evaluation_with_reference([0.1] * 40, version, direction={"overall": {"frames": 9, "rightPct": 52.0}})
        store_evaluation(open_storage(app.service().settings.model_uri), version, document.model_dump(mode="json", by_alias=True))
        store = write_rows(root.subfolder("scored"), [candles_of(days=6)], 0.3, version=version)
        live_score_metrics.record_scores(store, FEED, app.service())
        root.write("scored/live/exchange=binanceus/interval=15m/date=2031-01-01.parquet", b"damaged")
        live_score_metrics.record_scores(store, FEED, app.service())
        without_model()
        exchange.now_ms += MINUTE_MS
        exchange.rows = [*exchange.rows, [exchange.rows[-1][0] + MINUTE_MS, *exchange.rows[-1][1:]]]
        with pytest.raises(ModelError):
            invoke(live_event("BTC/USDT"))


@pytest.mark.parametrize(
    ("parameter", "run", "unused"),
    [
        pytest.param("ApiFunctionName", run_api, {"Invocations"}, id="API"),
        pytest.param("BatchFunctionName", run_queue, {"Invocations", "CachedFrames", "LoadMs"}, id="queue"),
        pytest.param("FleetGroupName", run_worker, {"CachedFrames"}, id="worker"),
        pytest.param(
            "LiveFunctionName",
            run_live,
            {"Invocations", "ColdStart", "Failures", "RejectedRequests", "LoadMs"},
            id="live",
            marks=pytest.mark.enable_socket,
        ),
    ],
)
def test_dashboard_and_alarms_use_existing_metrics(invoke, capsys, monkeypatch, parameter, run, unused):
    """With equal dimensions: CloudWatch identifies a metric by its name and all dimensions."""

    def without_model():
        app.service.cache_clear()
        monkeypatch.setenv("MODEL_URI", "/nowhere")

    reset_cold_start_flag()
    run(invoke, without_model)
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    emitted = {
        (directive["Namespace"], metric["Name"], frozenset((name, blob[name]) for name in directive["Dimensions"][0]))
        for blob in blobs
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    used = {tuple(metric) for metric in requested_metrics(monitoring_stack(**{parameter: LocalContext().function_name}))}
    used = {metric for metric in used if ("function_name", LocalContext().function_name) in metric[2]}
    assert used <= emitted
    assert {name for _, name, _ in emitted - used} - {"ModelFrames"} == unused, "the dashboard searches for ModelFrames by version"
