"""`/metrics` of the worker, over HTTP."""

import socket

import httpx
import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.prediction.series import Series
from handler import app
from handler.telemetry import record_prediction_metrics
from handler.worker import Worker
from handler.worker_metrics import WorkerMetrics
from handler.worker_settings import WorkerSettings
from tests.support.demo_requests import demo_candles
from tests.support.scraped_metrics import ScrapedMetrics

pytestmark = pytest.mark.enable_socket


def scrape(metrics):
    response = httpx.get(f"http://127.0.0.1:{metrics.port}/metrics", trust_env=False)
    return ScrapedMetrics(response.text)


@pytest.fixture
def metrics():
    with WorkerMetrics(0, app.service(), lambda: 7) as metrics:
        yield metrics


def test_counts_messages_frames_and_batches(metrics):
    metrics.count("done", 3)
    metrics.count("retried", 0)
    metrics.count("done", 1)
    predictor = app.service().predictor()
    predictor.predict(Series(demo_candles(203)))
    record_prediction_metrics(predictor)
    found = scrape(metrics)
    assert [found.value("coinfarm_messages_total", outcome=outcome) for outcome in ("done", "failed", "retried")] == [4, 0, 0]
    assert found.value("coinfarm_messages_in_flight") == 7
    assert found.value("coinfarm_frames_predicted_total") == found.value("coinfarm_batch_frames_sum") == 4
    assert found.value("coinfarm_inference_seconds_count") == 1
    assert found.label_values("coinfarm_model_info", "version") == {predictor.model.version}
    assert found.value("process_resident_memory_bytes") > 0


def test_the_port_is_free_after_the_end():
    with WorkerMetrics(0, app.service(), lambda: 0) as other:
        port = other.port
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CoinfarmError, match=f"METRICS_PORT={port}"), WorkerMetrics(port, app.service(), lambda: 0):
            pass


def test_only_a_worker_with_a_port_has_metrics(monkeypatch):
    queue = {"QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards"}
    assert Worker(WorkerSettings.from_environment(queue), app.service())._metrics is None
    worker = Worker(WorkerSettings.from_environment({**queue, "METRICS_PORT": "9100"}), app.service())
    assert worker._metrics.port == 9100
    monkeypatch.setattr("coinfarm.extras.find_spec", lambda _: None)
    with pytest.raises(CoinfarmError, match="prometheus_client"):
        Worker(WorkerSettings.from_environment({**queue, "METRICS_PORT": "9100"}), app.service())
