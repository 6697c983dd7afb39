"""The valid events in events/ with `sam local invoke`, each in a new container. tests/unit/handler/test_events.py has the invalid ones."""

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


@events("direct*.json", "warmup.json")
def test_direct_event_succeeds(deployment, event):
    response = deployment.invoke("ApiFunction", event)
    assert response["model"]["version"]


@events("sqs-*.json", "shards.json")
def test_queue_event_writes_a_result_for_every_record(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) == {"batchItemFailures": []}
    written = [found["Key"] for found in s3.list_objects_v2(Bucket="results").get("Contents", [])]
    for record in json.loads(event.read_text())["Records"]:
        body = json.loads(record["body"])
        assert any(key.startswith(body["resultsUri"]) and body.get("date", "") in key for key in written)
