import json

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from coinfarm.aws import batch_calls
from coinfarm.aws.event_bus import EventBus
from coinfarm.errors import Forbidden, StorageError, Unavailable

ARN = "arn:aws:events:us-east-1:123456789012:event-bus/predictions"
DETAILS = [{"number": number} for number in range(12)]


def test_events_arrive_with_source_and_type():
    with mock_aws():
        events, logs = boto3.client("events"), boto3.client("logs")
        arn = events.create_event_bus(Name="predictions")["EventBusArn"]
        logs.create_log_group(logGroupName="/received")
        pattern = json.dumps({"source": ["coinfarm"], "detail-type": ["Candle Predicted"]})
        events.put_rule(Name="all", EventBusName=arn, EventPattern=pattern)
        target = {"Id": "log", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:/received"}
        events.put_targets(Rule="all", EventBusName=arn, Targets=[target])
        EventBus(arn, "coinfarm").put("Candle Predicted", DETAILS)
        received = [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName="/received")["events"]]
    assert [event["detail"] for event in received] == DETAILS


@pytest.fixture
def stubbed(monkeypatch):
    monkeypatch.setattr(batch_calls.time, "sleep", lambda _: None)
    bus = EventBus(ARN, "coinfarm")
    with Stubber(bus._client) as stub:
        yield bus, stub


def test_only_the_events_that_failed_are_sent_again(stubbed):
    bus, stub = stubbed
    failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}
    stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, failed, {"EventId": "3"}]}, {"Entries": ANY})
    entry = {"EventBusName": ARN, "Source": "coinfarm", "DetailType": "T", "Detail": json.dumps(DETAILS[1])}
    stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "2"}]}, {"Entries": [entry]})
    bus.put("T", DETAILS[:3])
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "calls", "error"), [("InternalFailure", 5, Unavailable), ("NotAuthorizedForSourceException", 1, StorageError)]
)
def test_events_that_cannot_be_sent_raise(stubbed, code, calls, error):
    bus, stub = stubbed
    for _ in range(calls):
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "why"}]}, {"Entries": ANY})
    with pytest.raises(error, match=code):
        bus.put("T", DETAILS[:1])
    stub.assert_no_pending_responses()


def test_a_missing_permission_is_named(stubbed):
    bus, stub = stubbed
    stub.add_client_error("put_events", "AccessDeniedException", http_status_code=400)
    with pytest.raises(Forbidden, match="events:PutEvents"):
        bus.put("T", DETAILS)
