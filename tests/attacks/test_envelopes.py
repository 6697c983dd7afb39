"""Events that AWS never sends: API events get a response, and valid SQS records are processed."""

import copy
import json

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinfarm.errors import InvalidInput, NotFound, TooLarge
from handler import app
from handler.event_kinds import UnknownEvent
from handler.jobs import Message
from handler.message_batch import process_messages
from tests.support.demo_requests import (
    demo_request,
    failed_ids,
    http_event,
    message,
    multi_value_event,
    object_created,
    queue_event,
    rest_event,
    topic_notification,
)

deterministic = hypothesis.settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck))
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud800", "../..", "\x00", "{}", "AAAA", "POST", "2.0", "/predictions"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def damaged_copies(draw, document):
    """Copies of a document with up to three values replaced or removed."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place, inner = None, document
        while isinstance(inner, (dict, list)) and inner and (place is None or draw(st.booleans())):
            place = inner
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
            inner = place[key]
        if place is not None:
            del place[key]
            if isinstance(place, dict) and draw(st.booleans()):
                place[key] = draw(JSON)
    return document


BODY = json.dumps(demo_request()).encode()
API_EVENTS = [make("POST", "/predictions", "application/json", BODY) for make in (rest_event, http_event, multi_value_event)]


@pytest.mark.parametrize("event", API_EVENTS, ids=["REST", "HTTP", "load balancer"])
@deterministic
@given(data=st.data())
def test_damaged_api_events_are_client_errors(invoke, event, data):
    changed = data.draw(damaged_copies(event))
    hypothesis.assume("requestContext" in changed)
    response = invoke(changed)
    assert response["statusCode"] in (200, 400, 404, 405, 413, 415, 422)
    json.loads(response["body"])


@pytest.mark.parametrize("event", API_EVENTS, ids=["REST", "HTTP", "load balancer"])
@deterministic
@given(body=st.text() | TEXTS, is_base64=st.booleans())
def test_rejects_invalid_bodies(invoke, event, body, is_base64):
    response = invoke({**event, "body": body, "isBase64Encoded": is_base64})
    assert response["statusCode"] in (400, 422)
    assert json.loads(response["body"])["type"].endswith((":MalformedRequest", ":InvalidInput"))


@deterministic
@given(event=JSON | damaged_copies(demo_request(stride=1, gaps="fill")) | st.fixed_dictionaries({"warmup": JSON}))
def test_rejects_other_events(invoke, event):
    hypothesis.assume(not isinstance(event, dict) or "requestContext" not in event)
    try:
        response = invoke(event)
    except UnknownEvent:
        return
    if event == {"warmup": True}:
        assert response["warm"] is True
    else:
        assert "results" in response or response["status"] in (400, 404, 413, 422)


SHARD = {"symbol": "DEMOUSD", "interval": "1m", "date": "2026-01-01", "modelVersion": "20260101-00000000"}
SHARD |= {"candlesUri": "store", "resultsUri": "run"}
FILE = {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "a.parquet", "resultsUri": "a.json", "from": "2026-01-01", "to": "2026-02-01"}
NOTIFICATION = topic_notification(message("bad", seed=3))
UPLOAD = object_created("candles", "../a.csv", b"")
BODIES = st.one_of(
    st.text(),
    JSON.map(json.dumps),
    *(damaged_copies(document).map(json.dumps) for document in (SHARD, FILE, message("bad", seed=3, stride=1), NOTIFICATION, UPLOAD)),
)


@deterministic
@given(bodies=st.lists(BODIES, min_size=1, max_size=4), data=st.data())
def test_invalid_messages_do_not_fail_valid_ones(invoke, folder, bodies, data):
    for path in folder.glob("results/**/*.json"):
        path.unlink()
    event = queue_event(message("first", seed=1), *({} for _ in bodies), message("third", seed=2), message("last", seed=3))
    for record, body in zip(event["Records"][1:-2], bodies, strict=True):
        record["body"] = body
    ids = [record["messageId"] for record in event["Records"]]
    event["Records"][-2] = {**data.draw(damaged_copies(event["Records"][-2])), "messageId": ids[-2], "eventSource": "aws:sqs"}
    assert set(failed_ids(invoke(event))) <= set(ids[1:-1])
    assert (folder / "results/first.json").is_file()
    assert (folder / "results/last.json").is_file()


@deterministic
@given(bodies=st.lists(BODIES, min_size=1, max_size=4))
def test_invalid_messages_are_no_failure_of_the_worker(bodies):
    """Other errors in two batches in a row would stop the worker."""
    outcomes = process_messages([Message(str(number), body) for number, body in enumerate(bodies)], app.service(), lambda: None)
    assert all(isinstance(error, (InvalidInput, TooLarge, NotFound)) for error in outcomes.failures.values()), outcomes.failures
