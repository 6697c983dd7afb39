"""Every event of events/ through `sam local invoke`, in a container of its own."""

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

EVENTS = {path: json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "events").glob("*.json"))}
QUEUE = [path for path, event in EVENTS.items() if "Records" in event]
API = [path for path, event in EVENTS.items() if "requestContext" in event]
DIRECT = [path for path in EVENTS if path not in QUEUE + API]


def name(path):
    return path.stem


@pytest.mark.parametrize("event", API, ids=name)
def test_an_api_event_is_answered(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["statusCode"] == 200, answer["body"]


@pytest.mark.parametrize("event", DIRECT, ids=name)
def test_a_direct_event_is_answered(deployment, event):
    answer = deployment.invoke("ApiFunction", event)
    assert answer["model"]["version"]


@pytest.mark.parametrize("event", QUEUE, ids=name)
def test_a_queue_event_leaves_a_result_for_each_record(deployment, s3, event):
    assert deployment.invoke("BatchFunction", event) == {"batchItemFailures": []}
    for record in EVENTS[event]["Records"]:
        key = json.loads(record["body"])["resultsUri"]
        assert s3.head_object(Bucket="results", Key=key)["ContentLength"] > 0
