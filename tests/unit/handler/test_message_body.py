import json

import pytest

from handler.message_body import unwrapped, upload_event
from tests.support.demo_requests import bucket_notification, message, object_created, topic_notification

REQUEST = message("one")


def test_a_notification_is_unwrapped_once_and_raw_delivery_needs_nothing():
    assert unwrapped(json.dumps(topic_notification(REQUEST))) == json.dumps(REQUEST)
    assert unwrapped(json.dumps(REQUEST)) == json.dumps(REQUEST)
    twice = json.dumps(topic_notification(topic_notification(REQUEST)))
    assert json.loads(unwrapped(twice))["Type"] == "Notification"


@pytest.mark.parametrize("changed", [{"Type": "SubscriptionConfirmation"}, {"Message": 5}])
def test_other_messages_of_a_topic_stay_as_they_are(changed):
    body = json.dumps(topic_notification(REQUEST) | changed)
    assert unwrapped(body) == body


@pytest.mark.parametrize("body", ['{"TopicArn"', '["TopicArn"]', '"TopicArn"\ud800', "", "null"])
def test_invalid_bodies_are_left_to_the_request_parser(body):
    assert unwrapped(body) == body
    assert upload_event(body + '"aws:s3"') is None


def test_finds_events_of_s3():
    for event in (object_created("candles", "a.csv", b""), bucket_notification("candles", "a.csv", b"")):
        assert upload_event(json.dumps(event)) == event
    assert upload_event(json.dumps(message("one", symbol="aws:s3"))) is None
