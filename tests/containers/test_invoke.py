"""The valid events in events/ with `sam local invoke`, each in a new container. tests/unit/handler/test_events.py has the invalid ones."""

import json

import pytest

from handler.message_body import unwrapped
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
