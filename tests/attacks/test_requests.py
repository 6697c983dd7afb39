"""Requests with odd numbers, names or nesting are rejected with a pointer, in a short response and little memory."""

import json
import math

import pytest

from coinfarm.candles.json_rows import FIELDS
from coinfarm.candles.validation import MAX_VALUE, MIN_PRICE
from coinfarm.engines.loading import load_engine
from handler import app
from handler.local_events import http_event
from tests.support.demo_requests import demo_request

MAX_RESPONSE_BYTES = 20_000


def as_objects(request):
    return {**request, "candles": [dict(zip(FIELDS, row, strict=True)) for row in request["candles"]]}


def with_cell(field, value, shape):
    """A request with one value replaced by raw JSON."""
    request = demo_request()
    request["candles"][7][FIELDS.index(field)] = "HERE"
    return json.dumps(as_objects(request) if shape == "objects" else request).replace('"HERE"', value).encode()


ODD_NUMBERS = {
    "NaN": "NaN",
    "infinity": "Infinity",
    "infinity as a string": '"inf"',
    "1e400": "1e400",
    "ten thousand digits": "9" * 10_000,
    "minus zero": "-0.0",
    "a denormal": "5e-324",
    "an object": "{}",
}


@pytest.mark.parametrize(("field", "shape"), [("openTime", "arrays"), ("low", "objects"), ("volume", "arrays"), ("volume", "objects")])
@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in ODD_NUMBERS.items()])
def test_rejects_odd_numbers_in_any_field(invoke, field, value, shape):
    body = with_cell(field, value, shape)
    response = invoke(http_event("POST", "/predictions", headers={"content-type": "application/json"}, body=body))
    problem = json.loads(response["body"])
    if field == "volume" and value in ("-0.0", "5e-324"):
        assert response["statusCode"] == 200
    elif len(value) == 10_000:
        assert (response["statusCode"], problem["errors"][0]["pointer"]) == (400, "")
    else:
        assert response["statusCode"] == 422
        pointers = {error["pointer"] for error in problem["errors"]}
        assert pointers & {f"/candles/7/{field}", "/candles"}
    assert len(response["body"]) < MAX_RESPONSE_BYTES


def with_prices(low, high):
    request = demo_request()
    for row in request["candles"]:
        row[1:5] = [low, high, low, low]
    return request


def test_predictions_of_the_widest_price_range_are_finite(invoke, reference):
    predictions = invoke(with_prices(MIN_PRICE, MAX_VALUE))["results"][0]["predictions"]
    assert all(math.isfinite(value) for value in predictions.values())
    assert invoke(with_prices(MIN_PRICE / 2, MAX_VALUE))["status"] == 422


@pytest.fixture
def reference(monkeypatch):
    """The reference model, whose outputs are relative to the window's price range."""
    monkeypatch.delenv("MODEL_URI")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", load_engine)
    app.service.cache_clear()


MEGABYTES = "x" * 4_000_000


LARGE = {
    "a field's name": demo_request(**{MEGABYTES: 1}),
    "a symbol": {**demo_request(), "symbol": MEGABYTES},
    "an enumeration": {**demo_request(), "gaps": MEGABYTES},
    "a candle's field": {**demo_request(), "candles": [{**as_objects(demo_request())["candles"][0], MEGABYTES: 1}]},
    "a price": {**demo_request(), "candles": [[1, MEGABYTES, "1", "1", "1", "1"]]},
    "200,000 fields": dict.fromkeys((f"{number:x}" for number in range(200_000)), 0),
}


@pytest.mark.parametrize("request_", LARGE.values(), ids=LARGE)
def test_responses_and_logs_repeat_no_megabytes(invoke, caplog, limit_memory, request_):
    """A response over Lambda's limit of 6 MB would become a 502."""
    body = json.dumps(request_).encode()
    with limit_memory(400):
        response = invoke(http_event("POST", "/predictions", headers={"content-type": "application/json"}, body=body))
    assert response["statusCode"] == 422
    assert len(response["body"]) < MAX_RESPONSE_BYTES
    logged = [str(vars(record).get("problem", "")) for record in caplog.records]
    assert sum(map(len, logged)) < MAX_RESPONSE_BYTES


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="open arrays"),
        pytest.param(b'{"candles":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", id="arrays in a candle"),
        pytest.param(b'{"symbol":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", id="objects in a field"),
    ],
)
def test_rejects_deep_nesting(send, body):
    assert send("POST", "/predictions", body).status == send("POST", "/frames", body).status == 400
    assert send("POST", "/predictions", demo_request()).status == 200


@pytest.mark.parametrize("interval", ["1٥m", "1m\n", "0m", "01m", "1M", "999d", "-1m", "1m/../.."])
def test_rejects_invalid_intervals(invoke, interval):
    assert invoke({**demo_request(), "interval": interval})["errors"][0]["pointer"] == "/interval"
