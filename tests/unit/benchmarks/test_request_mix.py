"""The requests of `make soak`, and the validation of responses."""

import json

import numpy as np
import pytest

from benchmarks.soak.request_mix import MIN_WINDOWS, SHARES, LoadRequest, RequestMix
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.synthetic_candles import minutes

PROBLEM = "application/problem+json"
PAIR = LoadRequest("two frames", "POST", "/predictions", first=7, frames=2)
INVALID = LoadRequest("bad request", "POST", "/predictions", status=422)
MODEL = LoadRequest("model", "GET", "/model")


@pytest.fixture(scope="module")
def mix():
    """A mix with two versions, which predict the number of each window, and twice that."""
    numbers = np.arange(MIN_WINDOWS, dtype=float)[:, None] * np.ones(3)
    return RequestMix(minutes(MIN_WINDOWS + 199), {"one": numbers, "two": 2 * numbers}, seed=1)


def predictions(version, *values):
    results = [{"predictions": dict.fromkeys(OUTPUT_NAMES, value)} for value in values]
    return json.dumps({"model": {"version": version}, "results": results}).encode()


@pytest.mark.parametrize(
    ("request_", "status", "media_type", "body", "named"),
    [
        pytest.param(PAIR, 200, "", predictions("one", 7, 8), None, id="predictions of a version"),
        pytest.param(INVALID, 422, PROBLEM, b"{}", None, id="rejected request"),
        pytest.param(MODEL, 200, "", b'{"version": "two"}', None, id="model"),
        pytest.param(PAIR, 200, "", predictions("two", 7, 8), "8.00000", id="predictions of another version than named"),
        pytest.param(PAIR, 200, "", predictions("one", 7, 16), "8.00000", id="predictions of two versions"),
        pytest.param(PAIR, 200, "", predictions("one", 7, float("nan")), "nan", id="NaN"),
        pytest.param(PAIR, 200, "", predictions("one", 7), "1 predictions for 2 frames", id="too few"),
        pytest.param(PAIR, 200, "", predictions("six", 7, 8), "six", id="unknown version"),
        pytest.param(PAIR, 500, PROBLEM, b"{}", "500", id="error"),
        pytest.param(INVALID, 200, "", predictions("one", 7), "200", id="accepted invalid request"),
        pytest.param(INVALID, 422, "text/html", b"no", "text/html", id="rejected without a problem document"),
        pytest.param(MODEL, 200, "", b'{"version": "six"}', "six", id="unknown model"),
        pytest.param(LoadRequest("health", "GET", "/health"), 200, "", b'{"status": "ill"}', "ill", id="unhealthy"),
    ],
)
def test_validates_responses(mix, request_, status, media_type, body, named):
    error = mix.validate(request_, status, media_type, body).error
    assert error is None if named is None else named in error


def test_draws_every_kind_of_request(mix):
    drawn = [mix.sample() for _ in range(500)]
    assert {request.kind for request in drawn} == SHARES.keys()
    assert {request.status for request in drawn} == {200, 400, 404, 413, 415, 422}
