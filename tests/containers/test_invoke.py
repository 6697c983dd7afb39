"""The valid events in events/ with `sam local invoke`, each in a new container. tests/unit/handler/test_events.py has the invalid ones."""

import json

import pytest

from handler.message_body import unwrapped
from tests.containers.conftest import run
from tests.support.repository import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

EVENTS = ROOT / "events"


def events(*patterns):
    """Parametrize a test with the event files whose names match."""
    paths = [path for pattern in patterns for path in sorted(EVENTS.glob(pattern))]
    return pytest.mark.parametrize("event", paths, ids=lambda path: path.stem)


@events("api-*.json")
def test_api_event_succeeds(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["statusCode"] == 200, response["body"]


@events("direct*.json", "warmup.json", "schedule-*.json")
def test_direct_event_succeeds(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["model"]["version"]


@events("s3-*.json", "sqs-s3-*.json")
def test_upload_event_writes_the_predictions_of_the_file(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) in ({"files": 1}, {"batchItemFailures": []})
    found = s3.list_objects_v2(Bucket="results", Prefix="uploads/DEMOUSD-1m.csv/")["Contents"]
    etag = s3.head_object(Bucket="candles", Key="uploads/DEMOUSD-1m.csv")["ETag"].strip('"')
    assert [each["Key"] for each in found] == [f"uploads/DEMOUSD-1m.csv/{etag}.parquet"]


@events("live.json")
def test_schedule_event_stores_predictions_once(deployment, s3, event):
    assert deployment.invoke("LiveFunction", event)["new"] > 400
    assert deployment.invoke("LiveFunction", event) == {"new": 0, "corrected": 0, "published": 0}
    assert s3.list_objects_v2(Bucket="results", Prefix="live/exchange=binanceus/interval=1m/")["KeyCount"]


GENERATED = {
    "api-alb-predictions": ("alb", "request"),
    "api-http-predictions": ("apigateway", "http-api-proxy"),
    "api-rest-predictions": ("apigateway", "aws-proxy"),
    "api-url-predictions": ("apigateway", "http-api-proxy"),
    "rejected/sns-notification": ("sns", "notification"),
    "s3-put": ("s3", "put"),
    "schedule-rule": ("cloudwatch", "scheduled-event"),
    "sqs-inline": ("sqs", "receive-message"),
}
"""Events, and the words after `sam local generate-event` that make one of the same kind."""
OPTIONAL = {
    "authorizer",
    "authentication",
    "cookies",
    "pathParameters",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "stageVariables",
    "cognitoAuthenticationProvider",
}
"""Fields that depend on the request, or on the integration."""


@pytest.mark.parametrize(("name", "words"), GENERATED.items(), ids=GENERATED)
def test_event_has_the_fields_of_a_generated_one(environment, name, words):
    generated = json.loads(run(environment, "sam", "local", "generate-event", *words))
    missing = fields(generated) - fields(json.loads((EVENTS / f"{name}.json").read_text()))
    assert {path for path in missing if not OPTIONAL & set(path)} == set()


def fields(node, path=()):
    """The paths of all fields of objects, with lists as one object; what headers and message attributes contain is up to the request."""
    if isinstance(node, list):
        return set().union(*(fields(each, path) for each in node))
    if not isinstance(node, dict) or (path and path[-1] in ("headers", "multiValueHeaders", "MessageAttributes", "messageAttributes")):
        return {path}
    return {path}.union(*(fields(value, (*path, key)) for key, value in node.items()))


@events("rejected/sns-*.json")
def test_unknown_event_raises_so_that_lambda_retries_it(deployment, event):
    assert deployment.raised("ApiFunction", event) == "UnknownEvent"


@events("sqs-inline.json", "sqs-candle-file.json", "sqs-sns.json", "shards.json")
def test_queue_event_writes_a_result_for_every_record(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) == {"batchItemFailures": []}
    written = [found["Key"] for found in s3.list_objects_v2(Bucket="results").get("Contents", [])]
    for record in json.loads(event.read_text())["Records"]:
        body = json.loads(unwrapped(record["body"]))
        assert any(key.startswith(body["resultsUri"]) and body.get("date", "") in key for key in written)
