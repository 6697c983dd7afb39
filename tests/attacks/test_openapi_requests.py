"""Hundreds of requests that schemathesis generates from the OpenAPI document: no 5xx, and only documented responses.

They are sent to `coinfarm serve`, and to the Lambda handler as events of a REST API and an HTTP API in turn. They are the same in each run.
"""

import base64
import gzip
import io
import json
from datetime import timedelta
from itertools import cycle
from urllib.parse import parse_qs

import hypothesis
import numpy as np
import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis.config import SchemathesisConfig
from urllib3 import HTTPResponse

from coinfarm.candles.json_rows import FIELDS
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.serving.candle_upload import FILE_TYPES
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler import app
from handler.committed_openapi import openapi_json
from handler.local_events import LocalContext
from image_render.spec import STANDARD
from tests.support.demo_requests import MINUTE_MS, ApiResponse, demo_candles, demo_request, http_event, npz, rest_event

CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": 50},
    "checks": {
        # The document allows any value as a candle; the handler rejects invalid ones (422) and too many (413).
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "413", "422"]},
        "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "413", "415", "422"]},
        "ignored_auth": {"enabled": False},  # API Gateway checks the keys
    },
}
FRAMES = np.zeros((2, *STANDARD.shape), np.uint8)
CSV = "\n".join(
    ",".join(map(str, row)) for row in (("symbol", *FIELDS), *(("DEMOUSD", *row) for row in demo_request()["candles"]))
).encode()
PARQUET = parquet_from_candles(demo_candles())
ARCHIVE = npz(frames=FRAMES, windowRangePct=[1.0, 0.0])


@st.composite
def archives(draw):
    """Valid archives, archives with a few changed bytes, and random bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from([ARCHIVE, npz(frames=FRAMES[:1]), npz(frames=[1.5], windowRangePct=["a"]), npz(other=FRAMES)])))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=3)):
        data[at] = value
    return bytes(data)


@st.composite
def candle_files(draw):
    """Files of candles, packed or not, some with a few changed bytes, and random bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from([CSV, PARQUET, gzip.compress(CSV), json.dumps(demo_request()["candles"]).encode()])))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=3)):
        data[at] = value
    return bytes(data)


schemathesis.openapi.media_type("application/x-npz", archives())
for media_type in FILE_TYPES:
    schemathesis.openapi.media_type(media_type, candle_files())
schema = schemathesis.openapi.from_dict(json.loads(openapi_json()), config=SchemathesisConfig.from_dict(CONFIG))
fast = hypothesis.settings(
    max_examples=50,
    deadline=timedelta(seconds=5),
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


class HandlerAdapter(HTTPAdapter):
    """Sends requests to the Lambda handler as API Gateway events, in turn of a REST API and an HTTP API."""

    events = cycle([rest_event, http_event])

    def send(self, request, **_):
        path, _, query = request.path_url.partition("?")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = next(self.events)(request.method, path, "", b"")
        event |= {"headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        if "multiValueHeaders" in event:
            event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        values = parse_qs(query, keep_blank_values=True)
        event["queryStringParameters"] = {name: items[-1] for name, items in values.items()} or None
        if "multiValueQueryStringParameters" in event:
            event["multiValueQueryStringParameters"] = values or None
        raw = app.lambda_handler(event, LocalContext())
        response = ApiResponse.of(raw)
        headers = raw.get("headers") or {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        return self.build_response(request, HTTPResponse(io.BytesIO(response.content), headers, response.status, preload_content=False))


@pytest.fixture(scope="module", params=["serve", "API Gateway"])
def target(request, served, tmp_path_factory):
    """A session and a base URL for the requests."""
    session = requests.Session()
    if request.param == "serve":
        yield session, served.url
        return
    session.mount("http://handler.test", HandlerAdapter())
    service = Service(Settings(model_cache_dir=tmp_path_factory.mktemp("cache")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "service", lambda: service)
        yield session, "http://handler.test"


@pytest.fixture(autouse=True)
def container():
    """Replaces the container of the unit tests by the reference model."""


@pytest.fixture(autouse=True)
def engine_calls():
    """Replaces the fake engine of the unit tests by the real one."""


@pytest.mark.enable_socket
@schema.parametrize()
@fast
def test_responses_match_the_document(case, target):
    session, base_url = target
    case.call_and_validate(session=session, base_url=base_url)


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),  # schemathesis sends standard JSON; test_requests.py sends NaN and infinity
    st.integers(-(10**30), 10**30),
    st.sampled_from(["NaN", "Infinity", "-0.0", "1e400", "5e-324", "1e-18", "1e18", "1_0", "", " 1 ", "0x10", "٣", "9" * 5000]),
    st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
)


@st.composite
def nearly_valid_requests(draw):
    """Requests of about 200 candles: half of them valid, the others with up to three changed values."""
    request = demo_request(draw(st.sampled_from([199, 200, 201, 260])), draw(st.integers(0, 5)))
    rows = request["candles"] = [list(row) for row in request["candles"]]
    request |= draw(st.fixed_dictionaries({}, optional={"stride": st.integers(1, 300), "gaps": st.sampled_from(["fill", "reject"])}))
    if draw(st.booleans()):
        del rows[10 : 10 + draw(st.integers(0, 30))]
    if draw(st.booleans()):
        return request
    for _ in range(draw(st.integers(1, 3))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        row[draw(st.integers(0, 5))] = draw(NUMBERS)
    shift = draw(st.sampled_from([0, 0, 1, MINUTE_MS, -(10**12), 10**15, 10**18]))
    for row in rows:
        row[0] = row[0] + shift if type(row[0]) is int else row[0]
    if draw(st.booleans()):
        request["candles"] = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    return request


@pytest.mark.enable_socket
@pytest.mark.parametrize("path", ["/predictions", "/frames"])
@fast
@given(body=nearly_valid_requests())
def test_responses_to_nearly_valid_candles_match_the_document(body, target, path):
    session, base_url = target
    case = schema[path]["POST"].Case(body=body, media_type="application/json")
    response = case.call(session=session, base_url=base_url)
    case.validate_response(response)
    assert response.status_code in (200, 400, 413, 422)
    if response.status_code == 200 and path == "/predictions":
        json.loads(response.content, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
