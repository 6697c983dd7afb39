"""POST /predictions."""

import pytest

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


def demo_frames(count=2):
    view = windows(demo_candles(199 + count).columns)
    return render_frames(view), window_range_pct(view)


def test_predicts_each_window_in_order(send):
    response = send("POST", "/predictions", demo_request(202))
    assert (response.status, response.media_type) == (200, "application/json")
    document = response.json()
    assert document["model"] == model_identity(app.service().model())
    assert [result["openTime"] for result in document["results"]] == [START_MS + at * MINUTE_MS for at in range(3)]
    assert {result["predictions"]["maxRisePct"] for result in document["results"]} == {1.5}


def test_a_stride_skips_windows(send):
    results = send("POST", "/predictions", demo_request(211, stride=5)).json()["results"]
    assert [result["openTime"] - START_MS for result in results] == [0, 5 * MINUTE_MS, 10 * MINUTE_MS]


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


def test_rejects_gaps_on_request(send):
    request = demo_request(210, gaps="reject")
    del request["candles"][50:60]
    response = send("POST", "/predictions", request)
    assert response.status == 422
    assert response.json()["errors"][0]["pointer"] == "/candles/50/openTime"


def test_repeated_frames_are_cached(send, engine_calls):
    first = send("POST", "/predictions", demo_request(205))
    again = send("POST", "/predictions", demo_request(207))
    assert again.json()["results"][:6] == first.json()["results"]
    assert engine_calls == [6, 2]


def test_a_new_version_does_not_use_cached_predictions(send, engine_calls, models, folder):
    send("POST", "/predictions", demo_request())
    promote_model(models, folder / "next bundle", "2.5")
    response = send("POST", "/predictions", demo_request())
    assert response.json()["results"][0]["predictions"]["maxRisePct"] == 2.5
    assert engine_calls == [1, 1]


def test_predicts_ready_made_frames_without_times(send):
    response = send("POST", "/predictions", npz(frames=demo_frames()[0]), NPZ)
    assert [(result["openTime"], result["predictions"]["maxRisePct"]) for result in response.json()["results"]] == [(None, 1.5)] * 2


@pytest.fixture
def relative_model(models, folder):
    """A model whose outputs are shares of the window's own price range."""
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)
    promote(models, publish(models, create_bundle(folder / "relative bundle", "0.25", outputs=outputs)))


@pytest.mark.usefixtures("relative_model")
def test_frames_and_their_candles_have_equal_predictions(send):
    frames, range_pct = demo_frames()
    of_frames = send("POST", "/predictions", npz(frames=frames, windowRangePct=range_pct), NPZ).json()["results"]
    of_candles = send("POST", "/predictions", demo_request(201)).json()["results"]
    assert [result["predictions"] for result in of_frames] == [result["predictions"] for result in of_candles]
    assert of_frames[0]["predictions"]["maxRisePct"] == 0.25 * range_pct[0]


@pytest.mark.usefixtures("relative_model")
def test_rejects_frames_without_the_range_that_the_model_needs(send):
    response = send("POST", "/predictions", npz(frames=demo_frames()[0]), NPZ)
    assert (response.status, response.json()["errors"][0]["pointer"]) == (422, "/windowRangePct")
