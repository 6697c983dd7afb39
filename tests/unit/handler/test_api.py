import base64
import io
import json

import pytest
from PIL import Image

from coinfarm.models.manifest import Output
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.serving.response import model_identity
from handler import app
from image_render.draw import draw_frames
from image_render.windows import window_range_pct, windows
from tests.support.demo_requests import MINUTE_MS, START_MS, ApiResponse, demo_candles, demo_request, npz
from tests.support.fake_models import promote_model, publish_model, seal

NPZ = "application/x-npz"


def demo_frames(count=2):
    view = windows(demo_candles(199 + count).columns)
    return draw_frames(view), window_range_pct(view)


def test_each_window_of_the_candles_is_predicted_in_order(ask):
    answer = ask("POST", "/predictions", demo_request(202))
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json()["results"] == [
        {
            "openTime": START_MS + at * MINUTE_MS,
            "closeTime": START_MS + (at + 200) * MINUTE_MS - 1,
            "inSample": None,
            "filledCandles": 0,
            "predictions": {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5},
        }
        for at in range(3)
    ]


def test_the_answer_names_the_model(ask):
    model = ask("POST", "/predictions", demo_request()).json()["model"]
    assert model == model_identity(app.service().model())


def test_a_stride_leaves_windows_out(ask):
    results = ask("POST", "/predictions", demo_request(211, stride=5)).json()["results"]
    assert [result["openTime"] - START_MS for result in results] == [0, 5 * MINUTE_MS, 10 * MINUTE_MS]


def test_a_version_can_be_pinned(ask, models, folder):
    pinned = publish_model(models, folder / "other bundle", "-2.0")
    answer = ask("POST", "/predictions", demo_request(modelVersion=pinned)).json()
    assert answer["model"]["version"] == pinned
    assert answer["results"][0]["predictions"]["maxRisePct"] == -2.0


def test_an_unknown_version_is_not_found(ask):
    answer = ask("POST", "/predictions", demo_request(modelVersion="20990101-00000000"))
    assert answer.status == 404
    assert "20990101-00000000" in answer.json()["detail"]


def test_holes_are_filled_and_counted(ask):
    request = demo_request(210)
    del request["candles"][50:60]
    assert [result["filledCandles"] for result in ask("POST", "/predictions", request).json()["results"]] == [10] * 11


def test_a_window_with_more_than_half_of_it_filled_is_listed_without_a_prediction(ask):
    request = demo_request(200)
    del request["candles"][40:141]
    result = ask("POST", "/predictions", request).json()["results"][0]
    assert (result["filledCandles"], result["predictions"]) == (101, None)


def test_holes_are_refused_where_that_is_asked_for(ask):
    request = demo_request(210, gaps="reject")
    del request["candles"][50:60]
    answer = ask("POST", "/predictions", request)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/candles/50/openTime"


def test_candles_asked_for_again_are_not_given_to_the_engine_again(ask, engine_calls):
    first = ask("POST", "/predictions", demo_request(205))
    again = ask("POST", "/predictions", demo_request(207))
    assert again.json()["results"][:6] == first.json()["results"]
    assert engine_calls == [6, 2]


def test_a_new_version_answers_anew(ask, engine_calls, models, folder):
    ask("POST", "/predictions", demo_request())
    promote_model(models, folder / "next bundle", "2.5")
    answer = ask("POST", "/predictions", demo_request())
    assert answer.json()["results"][0]["predictions"]["maxRisePct"] == 2.5
    assert engine_calls == [1, 1]


def test_ready_made_frames_are_predicted_and_know_no_time(ask):
    answer = ask("POST", "/predictions", npz(frames=demo_frames()[0]), NPZ)
    predicted = {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5}
    unknown = dict.fromkeys(("openTime", "closeTime", "inSample", "filledCandles"))
    assert answer.json()["results"] == [{**unknown, "predictions": predicted}] * 2


@pytest.fixture
def relative_model(models, folder):
    """A model whose outputs are shares of the window's own price range."""
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)
    promote(models, publish(models, seal(folder / "relative bundle", "0.25", outputs=outputs)))


@pytest.mark.usefixtures("relative_model")
def test_frames_get_the_predictions_of_the_candles_that_they_were_drawn_from(ask):
    frames, range_pct = demo_frames()
    of_frames = ask("POST", "/predictions", npz(frames=frames, windowRangePct=range_pct), NPZ).json()["results"]
    of_candles = ask("POST", "/predictions", demo_request(201)).json()["results"]
    assert [result["predictions"] for result in of_frames] == [result["predictions"] for result in of_candles]
    assert of_frames[0]["predictions"]["maxRisePct"] == 0.25 * range_pct[0]


@pytest.mark.usefixtures("relative_model")
def test_frames_without_their_range_are_refused_where_the_model_needs_it(ask):
    answer = ask("POST", "/predictions", npz(frames=demo_frames()[0]), NPZ)
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/windowRangePct")


def test_a_json_body_may_come_in_base64(ask):
    body = base64.b64encode(json.dumps(demo_request()).encode()).decode()
    assert ask("POST", "/predictions", b"", event={"body": body, "isBase64Encoded": True}).status == 200


@pytest.mark.parametrize("body", ["no base64!", "ä"])
def test_a_body_that_only_claims_to_be_base64_is_refused(ask, body):
    answer = ask("POST", "/predictions", b"", event={"body": body, "isBase64Encoded": True})
    assert answer.status == 400
    assert "base64" in answer.json()["detail"]


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", ""], ids=["with a charset", "in capitals", "not given"]
)
def test_json_is_taken_however_it_is_announced(ask, media_type):
    assert ask("POST", "/predictions", demo_request(), media_type).status == 200


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/predictions", "text/csv"), ("/predictions", "application/octet-stream"), ("/frames", NPZ)],
)
def test_a_body_of_another_kind_is_refused_with_what_is_taken(ask, path, media_type):
    answer = ask("POST", path, b"PK", media_type)
    assert answer.status == 415
    assert f"{media_type} is not taken here: send application/json" in answer.json()["detail"]


def test_a_body_over_the_limit_is_refused_with_what_to_do_instead(ask, monkeypatch):
    monkeypatch.setenv("MAX_BODY_BYTES", "1000")
    answer = ask("POST", "/predictions", demo_request())
    assert answer.status == 413
    assert answer.json()["detail"] == (
        "the body has more than 1000 bytes: send fewer candles at a time, or put them into a file and its URI into the queue"
    )


def test_the_limit_counts_the_bytes_of_a_binary_body_and_not_its_base64(ask, monkeypatch):
    body = npz(frames=demo_frames()[0])
    monkeypatch.setenv("MAX_BODY_BYTES", str(len(body)))
    assert ask("POST", "/predictions", body, NPZ).status == 200


def test_too_many_windows_are_refused_with_what_to_do_instead(ask, monkeypatch):
    monkeypatch.setenv("MAX_FRAMES", "5")
    assert ask("POST", "/predictions", demo_request(204)).status == 200
    answer = ask("POST", "/predictions", demo_request(205))
    assert answer.status == 413
    assert answer.json()["detail"] == (
        "6 windows are more than the 5 of one request: send at most 204 candles at a stride of 1, "
        "in several requests that overlap by 199 candles, or through the queue"
    )


def test_too_many_frames_are_refused_before_they_are_unpacked(ask, monkeypatch):
    monkeypatch.setenv("MAX_FRAMES", "1")
    answer = ask("POST", "/predictions", npz(frames=demo_frames(2)[0]), NPZ)
    assert answer.status == 413
    assert "send several requests" in answer.json()["detail"]


@pytest.mark.parametrize("count", [200, 205], ids=["one window", "a sheet of six"])
def test_frames_are_drawn_as_a_png(ask, count):
    answer = ask("POST", "/frames", demo_request(count))
    assert (answer.status, answer.media_type) == (200, "image/png")
    Image.open(io.BytesIO(answer.content)).verify()


def test_more_frames_than_a_person_looks_at_are_not_drawn(ask):
    assert ask("POST", "/frames", demo_request(224)).status == 413


def test_drawing_needs_no_model(ask, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert ask("POST", "/frames", demo_request()).status == 200


def test_the_model_tells_what_it_is_and_how_good(ask, models, folder):
    promote(models, publish(models, seal(folder / "measured bundle", "2.0", metrics={"test": {"frames": 7}})))
    answer = ask("GET", "/model").json()
    assert (answer["name"], answer["engine"], answer["horizonCandles"]) == ("fake", "fake", 30)
    assert [output["name"] for output in answer["outputs"]] == list(OUTPUT_NAMES)
    assert answer["metrics"] == {"test": {"frames": 7}}
    assert answer["training"] is None


def test_another_version_than_that_in_service_can_be_asked_about(ask, models, folder):
    other = publish_model(models, folder / "other bundle", "-2.0")
    assert ask("GET", "/model", query={"version": other}).json()["version"] == other


@pytest.mark.parametrize(
    ("version", "status"),
    [("20990101-00000000", 404), ("../../etc/passwd", 404), ("x" * 33, 422)],
    ids=["unknown", "no version", "too long"],
)
def test_a_version_that_cannot_be_told_about_is_refused(ask, version, status):
    answer = ask("GET", "/model", query={"version": version})
    assert (answer.status, answer.media_type) == (status, "application/problem+json")


def test_health_asks_nothing_of_the_model(ask, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert ask("GET", "/health").json() == {"status": "ok"}


def test_health_answers_even_where_the_settings_are_wrong(ask, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "many")
    assert ask("GET", "/health").status == 200
    assert ask("GET", "/ready").json()["detail"].startswith("MAX_BATCH='many': ")


def test_ready_loads_the_model(ask, folder):
    assert ask("GET", "/ready").json()["model"]["name"] == "fake"
    assert list((folder / "cache").glob("*/*/model.keras"))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/ready", b""), ("GET", "/model", b""), ("POST", "/predictions", demo_request())],
    ids=["/ready", "/model", "/predictions"],
)
def test_without_a_model_the_answer_is_503_and_says_where_it_is_missing(ask, monkeypatch, method, path, body):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    answer = ask(method, path, body)
    assert answer.status == 503
    assert "/nowhere" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/prediction"), ("POST", "/predictions/1"), ("DELETE", "/models"), ("GET", "/")], ids=lambda part: part
)
def test_what_is_not_served_is_404(ask, method, path):
    answer = ask(method, path)
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert answer.json()["detail"] == f"{method} {path} is not served; see /docs"


@pytest.mark.parametrize(
    ("method", "path", "takes"), [("GET", "/predictions", "POST"), ("DELETE", "/model", "GET"), ("OPTIONS", "/docs", "GET")]
)
def test_a_method_that_a_path_does_not_take_is_405_and_says_which_it_takes(api_event, invoke, method, path, takes):
    response = invoke(api_event(method, path, "application/json", b""))
    answer = ApiResponse.of(response)
    assert (answer.status, answer.media_type) == (405, "application/problem+json")
    assert answer.json()["detail"] == f"{path} takes {takes}, and not {method}"
    assert "Allow" in (response.get("headers") or response["multiValueHeaders"])


@pytest.mark.usefixtures("broken_engine")
def test_an_error_of_ours_tells_nothing_of_itself(ask):
    answer = ask("POST", "/predictions", demo_request())
    assert (answer.status, answer.media_type) == (500, "application/problem+json")
    assert answer.json() == {
        "type": "urn:coinfarm:problem:InternalError",
        "title": "Internal server error",
        "status": 500,
        "detail": "It has been logged; the request can be tried again.",
    }
