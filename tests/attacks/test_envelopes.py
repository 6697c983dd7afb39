"""Events that AWS never sent: the handler answers those of the API, does the good records of a queue, and never fails what is right."""

import copy
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinfarm.errors import NotFound, RequestError, TooLarge
from handler import app
from handler.jobs import Message
from handler.local_events import LocalContext
from handler.message_batch import process_messages
from tests.support.demo_requests import demo_request, http_event, queue_event, rest_event

the_same_each_time = hypothesis.settings(
    max_examples=100, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud800", "../..", "\x00", "{}", "AAAA", "POST", "2.0", "/predictions"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoiled(draw: st.DrawFn, whole: Any) -> Any:
    """A document with up to three of its values replaced, or left out."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            if not isinstance(place, (dict, list)) or not place:
                break
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
            if isinstance(place[key], (dict, list)) and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                del place[key]
            else:
                place[key] = draw(JSON)
            break
    return document


BODY = json.dumps(demo_request()).encode()
API_EVENTS = [make("POST", "/predictions", "application/json", BODY) for make in (rest_event, http_event)]


@pytest.mark.parametrize("event", API_EVENTS, ids=["REST", "HTTP"])
@the_same_each_time
@given(data=st.data())
def test_an_api_event_is_answered_whatever_it_holds(invoke: Any, event: dict[str, Any], data: st.DataObject) -> None:
    odd = data.draw(spoiled(event))
    hypothesis.assume("requestContext" in odd)
    answer = invoke(odd)
    assert answer["statusCode"] in (200, 400, 404, 405, 413, 415, 422)
    json.loads(answer["body"])


@pytest.mark.parametrize("event", API_EVENTS, ids=["REST", "HTTP"])
@the_same_each_time
@given(body=st.text() | TEXTS, is_base64=st.booleans())
def test_a_body_that_is_no_request_is_refused_by_name(invoke: Any, event: dict[str, Any], body: str, is_base64: bool) -> None:
    answer = invoke({**event, "body": body, "isBase64Encoded": is_base64})
    assert answer["statusCode"] in (400, 422)
    assert json.loads(answer["body"])["type"].endswith((":MalformedRequest", ":RequestError"))


@the_same_each_time
@given(event=JSON | spoiled(demo_request(stride=1, gaps="fill")) | st.fixed_dictionaries({"warmup": JSON}))
def test_an_event_of_no_known_kind_is_a_request_or_refused(invoke: Any, event: Any) -> None:
    hypothesis.assume(not isinstance(event, dict) or "requestContext" not in event)
    answer = invoke(event)
    if event == {"warmup": True}:
        assert answer["warm"] is True
    else:
        assert "results" in answer or answer["status"] in (400, 404, 413, 422)


def good(name: str, seed: int) -> dict[str, Any]:
    """A message whose answer goes to NAME.json."""
    return {**demo_request(seed=seed), "resultsUri": f"{name}.json"}


SHARD = {
    "symbol": "DEMOUSD",
    "interval": "1m",
    "date": "2026-01-01",
    "modelVersion": "20260101-00000000",
    "candlesUri": "store",
    "resultsUri": "run",
}
FILE = {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "a.parquet", "resultsUri": "a.json", "from": "2026-01-01", "to": "2026-02-01"}
BODIES = st.one_of(
    st.text(),
    JSON.map(json.dumps),
    *(spoiled(document).map(json.dumps) for document in (SHARD, FILE, {**good("bad", 3), "stride": 1})),
)


@the_same_each_time
@given(bodies=st.lists(BODIES, min_size=1, max_size=4))
def test_good_records_are_done_beside_bad_ones(invoke: Any, folder: Any, bodies: list[str]) -> None:
    for path in folder.glob("results/**/*.json"):
        path.unlink()
    event = queue_event(good("first", 1), *({} for _ in bodies), good("last", 2))
    for record, body in zip(event["Records"][1:-1], bodies, strict=True):
        record["body"] = body
    ids = [record["messageId"] for record in event["Records"]]
    failed = {failure["itemIdentifier"] for failure in invoke(event)["batchItemFailures"]}
    assert failed <= set(ids[1:-1])
    assert (folder / "results/first.json").is_file()
    assert (folder / "results/last.json").is_file()


@the_same_each_time
@given(odd=st.data())
def test_records_without_what_sqs_gives_them_do_not_fail_their_neighbours(invoke: Any, folder: Any, odd: st.DataObject) -> None:
    for path in folder.glob("results/**/*.json"):
        path.unlink()
    event = queue_event(good("first", 1), good("second", 2), good("third", 3))
    spoilt = odd.draw(spoiled(event["Records"][1]))
    spoilt["messageId"] = event["Records"][1]["messageId"]
    spoilt["eventSource"] = "aws:sqs"
    event["Records"][1] = spoilt
    failed = [failure["itemIdentifier"] for failure in invoke(event)["batchItemFailures"]]
    assert failed in ([], [spoilt["messageId"]])
    assert (folder / "results/first.json").is_file()
    assert (folder / "results/third.json").is_file()


@the_same_each_time
@given(bodies=st.lists(BODIES, min_size=1, max_size=4))
def test_a_worker_knows_every_bad_message_for_the_fault_of_the_message(bodies: list[str]) -> None:
    """What it does not know ends it after two turns: a sick machine, it thinks."""
    messages = [Message(str(number), body) for number, body in enumerate(bodies)]
    outcomes = process_messages(messages, app.service(), lambda: None)
    strange = [error for error in outcomes.failures.values() if not isinstance(error, (RequestError, TooLarge, NotFound))]
    assert strange == []


def test_a_message_twice_in_a_batch_is_done_once_and_spoils_nothing(invoke: Any, engine_calls: list[int]) -> None:
    event = queue_event(good("first", 1), good("second", 2))
    event["Records"].append(copy.deepcopy(event["Records"][0]))
    assert invoke(event) == {"batchItemFailures": []}
    assert engine_calls == [2]


def test_after_all_that_a_request_is_answered(invoke: Any) -> None:
    assert len(app.lambda_handler(demo_request(201), LocalContext())["results"]) == 2
