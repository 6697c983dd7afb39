"""POST /predictions."""

import io
import zipfile

import numpy as np
import pytest

from coinfarm.candles.json_rows import FIELDS
from coinfarm.models.manifest import Output
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.serving.response import model_identity
from handler import app
from image_render.render import render_frames
from image_render.windows import window_range_pct, windows
from tests.support.demo_requests import MINUTE_MS, START_MS, demo_candles, demo_request, npz
from tests.support.fake_models import create_bundle, promote_model, publish_model

NPZ = "application/x-npz"
VIEW = windows(demo_candles(201).columns)
FRAMES, RANGE_PCT = render_frames(VIEW), window_range_pct(VIEW)


def test_predicts_each_window_in_order(send):
    response = send("POST", "/predictions", demo_request(211, stride=5))
    assert (response.status, response.media_type) == (200, "application/json")
    document = response.json()
    assert document["model"] == model_identity(app.service().model())
    assert [result["openTime"] for result in document["results"]] == [START_MS + at * MINUTE_MS for at in (0, 5, 10)]
    assert {result["predictions"]["maxRisePct"] for result in document["results"]} == {1.5}


def test_predicts_with_a_pinned_version(send, models, folder):
    pinned = publish_model(models, folder / "other bundle", "-2.0")
    response = send("POST", "/predictions", demo_request(modelVersion=pinned)).json()
    assert response["model"]["version"] == pinned
    assert response["results"][0]["predictions"]["maxRisePct"] == -2.0


def test_a_mostly_filled_window_has_no_prediction(send):
    request = demo_request(200)
    del request["candles"][40:141]
    result = send("POST", "/predictions", request).json()["results"][0]
    assert (result["filledCandles"], result["predictions"]) == (101, None)


def test_a_new_version_does_not_use_cached_predictions(send, engine_calls, models, folder):
    send("POST", "/predictions", demo_request())
    send("POST", "/predictions", demo_request())
    promote_model(models, folder / "next bundle", "2.5")
    response = send("POST", "/predictions", demo_request())
    assert response.json()["results"][0]["predictions"]["maxRisePct"] == 2.5
    assert engine_calls == [1, 1]


def test_predicts_rendered_frames_without_times(send):
    response = send("POST", "/predictions", npz(frames=FRAMES), NPZ)
    assert [(result["openTime"], result["predictions"]["maxRisePct"]) for result in response.json()["results"]] == [(None, 1.5)] * 2


@pytest.fixture
def relative_model(models, folder):
    """A model whose outputs are shares of the window's own price range."""
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)
    promote(models, publish(models, create_bundle(folder / "relative bundle", "0.25", outputs=outputs)))


@pytest.mark.usefixtures("relative_model")
def test_frames_and_their_candles_have_equal_predictions(send):
    of_frames = send("POST", "/predictions", npz(frames=FRAMES, windowRangePct=RANGE_PCT), NPZ).json()["results"]
    of_candles = send("POST", "/predictions", demo_request(201)).json()["results"]
    assert [result["predictions"] for result in of_frames] == [result["predictions"] for result in of_candles]
    assert of_frames[0]["predictions"]["maxRisePct"] == 0.25 * RANGE_PCT[0]
    check(send("POST", "/predictions", npz(frames=FRAMES), NPZ), 422, "/windowRangePct")


def check(response, status, pointer):
    assert (response.status, response.media_type) == (status, "application/problem+json")
    problem = response.json()
    assert problem["status"] == status
    assert (problem["errors"][0]["pointer"] if "errors" in problem else None) == pointer


def with_rows(change):
    """A request with changed candles."""
    request = demo_request(210)
    change(request["candles"])
    return request


def set_cell(at, field, value):
    return with_rows(lambda rows: rows[at].__setitem__(FIELDS.index(field), value))


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        pytest.param(b"hello", 400, "", id="not JSON"),
        pytest.param([1, 2, 3], 422, "/candles/0", id="an array of numbers"),
        pytest.param(7, 422, "", id="a number"),
        pytest.param(demo_request(strid=2), 422, "/strid", id="an unknown field"),
        pytest.param(demo_request(199), 422, "/candles", id="too few candles"),
        pytest.param(with_rows(lambda rows: rows[2].pop()), 422, "/candles/2", id="a candle without its volume"),
        pytest.param(set_cell(7, "open", "high"), 422, "/candles/7/open", id="a price that is a word"),
        pytest.param(set_cell(7, "openTime", 10**30), 422, "/candles", id="a time out of range"),
        pytest.param(set_cell(7, "openTime", START_MS), 422, "/candles/7/openTime", id="times out of order"),
        pytest.param(with_rows(lambda rows: rows.__delitem__(50)) | {"gaps": "reject"}, 422, "/candles/50/openTime", id="a gap"),
        pytest.param(set_cell(209, "openTime", START_MS + 10**6 * MINUTE_MS), 413, None, id="a gap of years"),
        pytest.param(demo_request(1200), 413, None, id="too many candles"),
        pytest.param(demo_request(modelVersion="latest"), 404, None, id="an invalid version"),
    ],
)
def test_rejects_invalid_requests(send, monkeypatch, body, status, pointer):
    monkeypatch.setenv("MAX_FRAMES", "1000")
    check(send("POST", "/predictions", body), status, pointer)


@pytest.mark.parametrize("path", ["/predictions", "/frames"])
def test_reports_at_most_ten_invalid_candles(send, path):
    request = with_rows(lambda rows: [row.__setitem__(5, "-1") for row in rows[:20]])
    pointers = [error["pointer"] for error in send("POST", path, request).json()["errors"]]
    assert pointers == [f"/candles/{at}/volume" for at in range(10)]


def bomb():
    """An archive of kilobytes that unpacks to 128 MB; the limit of 1,000 frames is 90."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("frames.npy", bytes(1 << 27))
    return file.getvalue()


def damaged(archive):
    return archive[:150] + bytes([archive[150] ^ 1]) + archive[151:]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        pytest.param(b"hello", 400, "", id="not an archive"),
        pytest.param(damaged(npz(frames=FRAMES)), 422, "/frames.npy", id="a damaged member"),
        pytest.param(npz(frames=np.full_like(FRAMES, 255)), 422, "/frames/0", id="a grey frame"),
        pytest.param(bomb(), 413, None, id="a decompression bomb"),
    ],
)
def test_rejects_invalid_archives(send, engine_calls, body, status, pointer):
    check(send("POST", "/predictions", body, NPZ), status, pointer)
    assert engine_calls == []
