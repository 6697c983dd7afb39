"""Every event in events/ with `sam local invoke`, each in a new container."""

import json

import pytest

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


@events("rejected/api-*.json")
def test_invalid_api_event_returns_a_problem(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["statusCode"] == 422
    assert json.loads(response["body"])["errors"]


@events("direct*.json", "warmup.json")
def test_direct_event_succeeds(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["model"]["version"]


@events("rejected/direct-*.json")
def test_invalid_direct_event_returns_a_problem(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["status"] == 422
    assert response["errors"]


@events("sqs-*.json", "shards.json")
def test_queue_event_writes_a_result_for_every_record(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) == {"batchItemFailures": []}
    assert all(is_written(s3, record) for record in records(event))


@events("rejected/sqs-*.json")
def test_only_the_invalid_record_of_a_queue_event_fails(deployment, s3, event):
    (failure,) = deployment.invoke("BatchFunction", event)["batchItemFailures"]
    good = [record for record in records(event) if record["messageId"] != failure["itemIdentifier"]]
    assert len(good) == len(records(event)) - 1
    assert all(is_written(s3, record) for record in good)


def records(event):
    return json.loads(event.read_text())["Records"]


def is_written(s3, record):
    """Whether the result exists: at the URI of a request, or below the URI of a shard with its date."""
    body = json.loads(record["body"])
    written = [found["Key"] for found in s3.list_objects_v2(Bucket="results").get("Contents", [])]
    return any(
        key.startswith(body["resultsUri"]) and f"date={body['date']}" in key if "date" in body else key == body["resultsUri"]
        for key in written
    )
