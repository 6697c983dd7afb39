"""Every event of events/ through `sam local invoke`, each in a container of its own."""

import json

import pytest

from tests.support.repository import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

EVENTS = ROOT / "events"


def events(*patterns):
    """Run the test once for each event file whose name fits."""
    found = [path for pattern in patterns for path in sorted(EVENTS.glob(pattern))]
    return pytest.mark.parametrize("event", found, ids=lambda path: path.stem)


@events("api-*.json")
def test_an_api_event_is_answered(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["statusCode"] == 200, answer["body"]


@events("refused/api-*.json")
def test_a_bad_api_event_gets_a_problem_document(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"]


@events("direct*.json", "warmup.json")
def test_a_direct_event_is_answered(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["model"]["version"]


@events("refused/direct-*.json")
def test_a_bad_direct_event_gets_a_problem_document(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["status"] == 422
    assert answer["errors"]


@events("sqs-*.json", "shards.json")
def test_a_queue_event_leaves_a_result_for_each_record(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) == {"batchItemFailures": []}
    assert all(is_written(s3, record) for record in records(event))


@events("refused/sqs-*.json")
def test_only_the_bad_record_of_a_queue_event_comes_back(deployment, s3, event):
    (failure,) = deployment.invoke("BatchFunction", event)["batchItemFailures"]
    good = [record for record in records(event) if record["messageId"] != failure["itemIdentifier"]]
    assert len(good) == len(records(event)) - 1
    assert all(is_written(s3, record) for record in good)


def records(event):
    return json.loads(event.read_text())["Records"]


def is_written(s3, record):
    """Under the place that a request names; or, for a shard, under that place and with its day."""
    asked = json.loads(record["body"])
    written = [found["Key"] for found in s3.list_objects_v2(Bucket="results").get("Contents", [])]
    return any(
        key.startswith(asked["resultsUri"]) and f"date={asked['date']}" in key if "date" in asked else key == asked["resultsUri"]
        for key in written
    )
