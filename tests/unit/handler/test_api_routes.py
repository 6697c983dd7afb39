"""The routes, bodies and errors of the API, except for predictions."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.outputs import OUTPUT_NAMES
from handler import app
from image_render.spec import STANDARD
from tests.support.demo_requests import ApiResponse, demo_request, npz
from tests.support.fake_models import create_bundle, publish_model

NPZ = "application/x-npz"
FRAMES = np.zeros((2, *STANDARD.shape), np.uint8)


@pytest.mark.parametrize("body", ["no base64!", "ä"])
def test_accepts_valid_base64_only(send, body):
    response = send("POST", "/predictions", event={"body": body, "isBase64Encoded": True})
    assert response.status == 400
    assert "base64" in response.json()["detail"]
    valid = base64.b64encode(json.dumps(demo_request()).encode()).decode()
    assert send("POST", "/predictions", event={"body": valid, "isBase64Encoded": True}).status == 200


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", ""])
def test_accepts_every_spelling_of_the_json_media_type(send, media_type):
    assert send("POST", "/predictions", demo_request(), media_type).status == 200


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/predictions", "image/png"), ("/candles", "multipart/form-data"), ("/frames", NPZ), ("/explanation", "text/csv")],
)
def test_rejects_unsupported_media_types(send, path, media_type):
    response = send("POST", path, b"PK", media_type)
    assert response.status == 415
    assert media_type in response.json()["detail"]


def test_the_body_limit_counts_decoded_bytes(send, monkeypatch):
    body = npz(frames=FRAMES)
    monkeypatch.setenv("MAX_BODY_BYTES", str(len(body)))
    assert send("POST", "/predictions", body, NPZ).status == 200
    response = send("POST", "/predictions", body + b"\0", NPZ)
    assert response.status == 413
    assert f"{len(body)} bytes" in response.json()["detail"]


def test_rejects_more_than_max_frames(send, monkeypatch):
    monkeypatch.setenv("MAX_FRAMES", "1")
    assert send("POST", "/predictions", npz(frames=FRAMES), NPZ).status == 413
    assert send("POST", "/predictions", demo_request(200)).status == 200
    response = send("POST", "/predictions", demo_request(201))
    assert response.status == 413
    assert "2 windows" in response.json()["detail"]


@pytest.mark.parametrize("count", [200, 205], ids=["one window", "a sheet of six"])
def test_renders_frames_as_png_without_a_model(send, monkeypatch, count):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    response = send("POST", "/frames", demo_request(count))
    assert (response.status, response.media_type) == (200, "image/png")
    Image.open(io.BytesIO(response.content)).verify()
    assert send("POST", "/frames", demo_request(224)).status == 413


def test_model_shows_outputs_and_metrics(send, models, folder):
    promote(models, publish(models, create_bundle(folder / "measured bundle", "2.0", metrics={"test": {"frames": 7}})))
    response = send("GET", "/model").json()
    assert (response["name"], response["engine"], response["horizonCandles"]) == ("fake", "fake", 30)
    assert [output["name"] for output in response["outputs"]] == list(OUTPUT_NAMES)
    assert response["metrics"] == {"test": {"frames": 7}}
    assert response["training"] is None


def test_a_version_that_cannot_be_loaded_is_shown_until_another_serves(send, models, folder):
    first = send("GET", "/ready").json()
    assert first["rejected"] is None
    broken = publish_model(models, folder / "broken bundle", "not a number")
    promote(models, broken)
    for path in ("/ready", "/model"):
        shown = send("GET", path).json()
        assert (shown.get("model", shown)["version"], shown["rejected"]["version"]) == (first["model"]["version"], broken)
        assert "not a number" in shown["rejected"]["reason"]
    promote(models, publish_model(models, folder / "good bundle", "2"))
    assert send("GET", "/ready").json()["rejected"] is None


@pytest.mark.parametrize(("version", "status"), [("20990101-00000000", 404), ("../../etc/passwd", 404), ("x" * 33, 422)])
def test_model_shows_another_version_or_rejects_it(send, models, folder, version, status):
    response = send("GET", "/model", query={"version": version})
    assert (response.status, response.media_type) == (status, "application/problem+json")
    other = publish_model(models, folder / "other bundle", "-2.0")
    assert send("GET", "/model", query={"version": other}).json()["version"] == other


def test_health_needs_neither_a_model_nor_valid_settings(send, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    monkeypatch.setenv("MAX_BATCH", "many")
    assert send("GET", "/health").json() == {"status": "ok"}
    assert send("GET", "/ready").json()["detail"].startswith("MAX_BATCH='many': ")


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", "/ready", b""), ("GET", "/model", b""), ("POST", "/predictions", demo_request())]
)
def test_a_missing_model_is_503_and_names_its_place(send, folder, monkeypatch, method, path, body):
    assert send(method, path, body).status == 200
    assert list((folder / "cache").glob("*/*/model.keras"))
    app.service.cache_clear()
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    response = send(method, path, body)
    assert response.status == 503
    assert "/nowhere" in response.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/predictions/1"), ("GET", "/")])
def test_unknown_routes_are_404(send, method, path):
    response = send(method, path)
    assert (response.status, response.media_type) == (404, "application/problem+json")
    assert f"{method} {path}" in response.json()["detail"]


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", "/predictions", "POST"), ("OPTIONS", "/docs", "GET")])
def test_other_methods_are_405_with_the_allowed_one(api_event, invoke, method, path, allowed):
    raw = invoke(api_event(method, path, "application/json", b""))
    response = ApiResponse.of(raw)
    assert (response.status, response.media_type) == (405, "application/problem+json")
    assert (raw.get("headers") or raw["multiValueHeaders"])["Allow"] in (allowed, [allowed])


@pytest.mark.usefixtures("broken_engine")
def test_unexpected_errors_are_not_disclosed(send):
    response = send("POST", "/predictions", demo_request())
    assert (response.status, response.media_type) == (500, "application/problem+json")
    assert response.json()["type"] == "urn:coinfarm:problem:InternalError"
    assert "secret" not in response.content.decode()
