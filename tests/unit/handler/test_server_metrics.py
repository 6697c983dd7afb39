"""`/metrics` of the server, in a real server, as Prometheus parses it."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from coinfarm.models.promotion import promote
from coinfarm.scorecard.scorecard_document import Scorecard
from handler.app import service
from handler.asgi import Application
from handler.scorecard_collector import score_metrics
from handler.worker_metrics import WorkerMetrics
from tests.support.asgi_server import serving
from tests.support.demo_requests import demo_request
from tests.support.fake_models import FakeEngine, publish_model
from tests.support.repository import ROOT
from tests.support.scraped_metrics import OPENMETRICS, ScrapedMetrics

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def client(container):
    with serving(Application()) as client:
        yield client


def scrape(client):
    return ScrapedMetrics(client.get("/metrics").text)


NAMES = {
    "coinfarm_http_requests_total",
    "coinfarm_http_request_duration_seconds_bucket",
    "coinfarm_http_requests_in_progress",
    "coinfarm_prediction_queue_depth",
    "coinfarm_frames_predicted_total",
    "coinfarm_frames_cached_total",
    "coinfarm_batch_frames_bucket",
    "coinfarm_render_seconds_bucket",
    "coinfarm_inference_seconds_bucket",
    "coinfarm_model_info",
    "coinfarm_model_load_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "python_info",
}


@pytest.mark.parametrize("accept", ["*/*", OPENMETRICS])
def test_has_a_format_of_prometheus(client, accept):
    client.get("/health")
    response = client.get("/metrics", headers={"accept": accept})
    assert response.headers["content-type"].startswith("text/plain" if accept == "*/*" else "application/openmetrics-text")
    metrics = ScrapedMetrics(response.text, is_openmetrics=accept == OPENMETRICS)
    assert {sample.name for sample in metrics.samples} >= NAMES
    assert all(family.documentation for family in metrics.families.values())


def test_the_page_lists_every_metric(client):
    client.get("/health")
    page = (ROOT / "docs/serving.md").read_text()
    listed = {(name.removesuffix("_total"), kind) for name, kind in re.findall(r"^\| `(coinfarm_\w+)` \| (\w+) \|", page, re.MULTILINE)}
    registries = [client.get("/metrics").text]
    with WorkerMetrics(0, service(), lambda: 0) as worker:
        registries.append(httpx.get(f"http://127.0.0.1:{worker.port}/metrics", trust_env=False).text)
    families = [family for text in registries for family in ScrapedMetrics(text).families.values()]
    families += score_metrics(Scorecard(store="live", as_of=datetime.now(UTC), days=30, scores=()))
    assert listed == {
        (family.name, family.type) for family in families if family.name.startswith("coinfarm_") and not is_creation_time(family)
    }


def is_creation_time(family):
    """`prometheus_client` adds a gauge with the start of each counter and histogram."""
    return family.name.endswith("_created")


def test_counts_requests_by_route_and_status(client):
    for count in (200, 200, 10):
        client.post("/predictions", json=demo_request(count))
    client.head("/model")
    metrics = scrape(client)
    name, route = "coinfarm_http_requests_total", "/predictions"
    assert metrics.value(name, method="POST", route=route, status="200") == 2
    assert metrics.value(name, method="POST", route=route, status="422") == 1
    assert metrics.value(name, method="HEAD", route="/model", status="200") == 1
    assert metrics.value("coinfarm_http_request_duration_seconds_count", route=route) == 3
    assert 0 < metrics.value("coinfarm_http_request_duration_seconds_sum", route=route) < 10
    assert metrics.value("coinfarm_http_requests_in_progress") == 1, "this scrape"
    assert scrape(client).value(name, route="/metrics", status="200") == 1


def test_counts_frames_batches_and_the_cache(client):
    for _ in range(2):
        client.post("/predictions", json=demo_request(203))
    client.post("/frames", json=demo_request(203))
    metrics = scrape(client)
    assert metrics.value("coinfarm_frames_predicted_total") == 8
    assert metrics.value("coinfarm_frames_cached_total") == 4
    assert metrics.value("coinfarm_batch_frames_sum") == 8
    assert metrics.value("coinfarm_batch_frames_count") == metrics.value("coinfarm_batch_frames_bucket", le="4.0") == 2
    for step in ("render", "inference"):
        assert metrics.value(f"coinfarm_{step}_seconds_count") == 2
        assert metrics.value(f"coinfarm_{step}_seconds_sum") > 0


def test_shows_requests_that_wait_and_run(monkeypatch):
    may_run, is_running = threading.Event(), threading.Event()

    class Engine(FakeEngine):
        def predict(self, frames):
            if frames.any():
                is_running.set()
                assert may_run.wait(10)
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *_: Engine(bundle))
    with ThreadPoolExecutor(3) as pool, serving(Application()) as client:
        url = f"{client.base_url}/predictions"
        first = pool.submit(httpx.post, url, json=demo_request(), trust_env=False)
        assert is_running.wait(10)
        others = [pool.submit(httpx.post, url, json=demo_request(200, seed), trust_env=False) for seed in (2, 3)]
        while (metrics := scrape(client)).value("coinfarm_http_requests_in_progress") < 4:
            pass
        assert metrics.value("coinfarm_prediction_queue_depth") in (1, 2)
        may_run.set()
        assert {response.result(10).status_code for response in (first, *others)} == {200}
        assert scrape(client).value("coinfarm_prediction_queue_depth") == 0


def test_clients_cannot_add_time_series(client):
    for at in range(20):
        client.request(f"METHOD{at}", f"/path{at}")
    client.get("/docs/../docs")
    metrics = scrape(client)
    assert metrics.value("coinfarm_http_requests_total", method="other", route="other", status="404") == 20
    methods = metrics.label_values("coinfarm_http_requests_total", "method")
    assert methods <= {"GET", "other"}
    assert metrics.label_values("coinfarm_http_requests_total", "route") <= {"/metrics", "/docs", "other"}


def test_shows_the_model_and_a_rejected_version(client, models, folder):
    client.get("/ready")
    metrics = scrape(client)
    (model,) = [sample.labels for sample in metrics.samples if sample.name == "coinfarm_model_info"]
    assert (model["name"], model["engine"]) == ("fake", "fake")
    assert 0 < metrics.value("coinfarm_model_load_seconds") < 10
    assert metrics.value("coinfarm_model_rejected") == 0
    broken = publish_model(models, folder / "broken bundle", "not a number")
    promote(models, broken)
    client.get("/ready")
    assert scrape(client).value("coinfarm_model_rejected", version=broken) == 1


def test_a_missing_model_is_no_model(monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    with serving(Application()) as client:
        metrics = scrape(client)
        assert not [sample for sample in metrics.samples if sample.name == "coinfarm_model_info"]
        client.get("/ready")
        assert scrape(client).value("coinfarm_http_requests_total", route="/ready", status="503") == 1
