"""The ASGI application in a real server on a free local port."""

import asyncio
import io
import json
import socket
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import httpx
import pytest
from PIL import Image

from coinfarm.serving.service import Service
from handler.asgi import Application
from handler.local_events import http_event
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.asgi_server import serving
from tests.support.demo_requests import demo_candles, demo_request, npz
from tests.support.fake_models import FakeEngine, promote_model
from tests.support.traced_memory import peak_below

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def client(container):
    with serving(Application()) as client:
        yield client


def test_passes_binary_bodies_queries_and_problem_documents(client, folder):
    assert list((folder / "cache").glob("*/*/model.keras")), "the model is loaded before the first request"
    body = npz(frames=render_frames(windows(demo_candles(203).columns)))
    response = client.post("/predictions", content=body, headers={"content-type": "application/x-npz"})
    assert len(response.json()["results"]) == 4
    Image.open(io.BytesIO(client.post("/frames", json=demo_request()).content)).verify()
    assert client.get("/model", params={"version": "20990101-00000000"}).status_code == 404
    response = client.post("/predictions", json=demo_request(199))
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


def test_head_equals_get_without_the_body(client):
    head, get = client.head("/model"), client.get("/model")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


def test_concurrent_requests_get_their_own_responses(client):
    counts = range(200, 216)
    with ThreadPoolExecutor(8) as pool:
        documents = pool.map(lambda count: client.post("/predictions", json=demo_request(count)).json(), counts)
    assert [len(response["results"]) for response in documents] == [count - 199 for count in counts]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (json.dumps(demo_request(205)).encode(), "application/json; charset=utf-8"),
        (json.dumps(demo_request(700)).encode(), "Application/JSON"),
        (json.dumps(demo_request(199)).encode(), "application/json"),
        (b"[", "application/json"),
        (b"", ""),
        (b"text", "image/png"),
        (json.dumps(demo_request(205)["candles"]).encode(), "application/json"),
    ],
    ids=["short", "long", "too few candles", "not JSON", "empty", "another type", "an unnamed file"],
)
def test_predictions_equal_those_of_the_lambda_function(client, invoke, body, media_type):
    response = client.post("/predictions", content=body, headers={"content-type": media_type})
    expected = invoke(http_event("POST", "/predictions", headers={"content-type": media_type}, body=body))
    assert response.status_code == expected["statusCode"]
    assert response.json() == json.loads(expected["body"])
    assert response.headers["content-type"] == expected["headers"]["Content-Type"]


def test_predictions_do_not_wait_for_other_routes(client, monkeypatch):
    may_draw, is_drawing = threading.Event(), threading.Event()
    monkeypatch.setattr("coinfarm.serving.chart.chart_png", lambda _: is_drawing.set() or (may_draw.wait(10) and b""))
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(client.post, "/frames", json=demo_request())
        try:
            assert is_drawing.wait(10)
            assert client.post("/predictions", json=demo_request()).status_code == 200
        finally:
            may_draw.set()
        assert drawing.result(10).status_code == 200


def test_answers_all_requests_before_it_stops(monkeypatch):
    may_run, is_running = threading.Event(), threading.Event()

    class Engine(FakeEngine):
        def predict(self, frames):
            if frames.any():
                is_running.set()
                assert may_run.wait(10)
            return super().predict(frames)

    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *_: Engine(bundle))
    counts = [200, 200, 260, 200, 260, 200]
    with ThreadPoolExecutor(len(counts)) as pool:
        with serving(Application()) as client:
            url = f"{client.base_url}/predictions"
            responses = [pool.submit(httpx.post, url, json=demo_request(count), trust_env=False) for count in counts]
            assert is_running.wait(10)
            time.sleep(0.3)  # until all have arrived
            threading.Timer(0.2, may_run.set).start()
        assert [len(response.result(10).json()["results"]) for response in responses] == [count - 199 for count in counts]


def test_starts_without_a_model_and_is_not_ready(monkeypatch, caplog):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    with serving(Application()) as client:
        assert "/nowhere" in caplog.text
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503


def test_no_request_waits_for_a_new_version(models, folder, monkeypatch):
    loading, may_load = threading.Event(), threading.Event()
    may_load.set()

    def load_engine(bundle, *_):
        loading.set()
        assert may_load.wait(10)
        return FakeEngine(bundle)

    monkeypatch.setenv("MODEL_REFRESH_S", "0.1")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", load_engine)
    with serving(Application()) as client:
        before = client.get("/model").json()["version"]
        loading.clear()
        may_load.clear()
        version = promote_model(models, folder / "second bundle", "2.5")
        assert loading.wait(10), "loaded without a request"
        assert client.get("/model").json()["version"] == before
        may_load.set()
        while client.get("/model").json()["version"] == before:
            time.sleep(0.01)
        assert client.get("/model").json()["version"] == version


def test_continues_after_a_failed_refresh(models, folder, monkeypatch, caplog):
    refreshed = threading.Event()

    def refresh(_):
        if "could not be refreshed" not in caplog.text:
            raise RuntimeError("unexpected")
        refreshed.set()

    monkeypatch.setenv("MODEL_REFRESH_S", "0.02")
    monkeypatch.setattr(Service, "refresh", refresh)
    with serving(Application()):
        assert refreshed.wait(10)


def test_closes_the_connection_of_an_endless_body(client, monkeypatch):
    monkeypatch.setattr("handler.asgi_messages._LINGER_S", 0.1)
    chunks = repeat(b"100000\r\n" + bytes(1 << 20) + b"\r\n", 100_000)
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as connection:
        connection.sendall(b"POST /predictions HTTP/1.1\r\nHost: coinfarm\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            deque(map(connection.sendall, chunks), 0)


async def exchange(scope, messages):
    """The messages that the application sends in reply to the server's messages."""
    given, sent = iter(messages), []

    async def receive():
        return next(given)

    async def send(message):
        sent.append(message)

    await Application()(scope, receive, send)
    return sent


def test_invalid_settings_prevent_the_start_and_are_named(monkeypatch):
    monkeypatch.setenv("MAX_FRAMES", "few")
    (failed,) = asyncio.run(exchange({"type": "lifespan"}, [{"type": "lifespan.startup"}]))
    assert failed["type"] == "lifespan.startup.failed"
    assert failed["message"].startswith("MAX_FRAMES='few'")


def test_does_not_buffer_bodies_over_the_limit():
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/predictions", "query_string": b"", "headers": headers}
    parts = ({"type": "http.request", "body": bytes(1 << 20), "more_body": part < 199} for part in range(200))
    with peak_below(50_000_000):  # the body has 200 MB, the limit is 6 MB
        start, *_ = asyncio.run(exchange(scope, parts))
    assert start["status"] == 413
