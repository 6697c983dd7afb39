import json

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from coinfarm.aws import batch_calls
from coinfarm.aws.sns import Topic
from coinfarm.errors import Forbidden, NotFound, StorageError, Unavailable

ARN = "arn:aws:sns:us-east-1:123456789012:predictions"
MESSAGES = [{"symbol": "BTCUSDT" if number % 2 else "ETHUSDT", "number": number} for number in range(23)]


@pytest.fixture
def aws():
    with mock_aws():
        yield boto3.client("sns"), boto3.client("sqs")


def test_messages_arrive_with_attributes_by_which_a_subscription_filters(aws):
    sns, sqs = aws
    arn = sns.create_topic(Name="predictions")["TopicArn"]
    url = sqs.create_queue(QueueName="btc")["QueueUrl"]
    options = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"symbol": ["BTCUSDT"]})}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:btc", Attributes=options)
    Topic(arn).publish(MESSAGES, ["symbol"])
    received = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        received += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(received, key=lambda each: each["number"]) == MESSAGES[1::2]


def test_a_topic_that_does_not_exist(aws):
    with pytest.raises(NotFound, match="predictions"):
        Topic(ARN).publish(MESSAGES)
    with pytest.raises(StorageError, match="nonsense"):
        Topic("nonsense")


@pytest.fixture
def stubbed(monkeypatch):
    monkeypatch.setattr(batch_calls.time, "sleep", lambda _: None)
    topic = Topic(ARN)
    with Stubber(topic._client) as stub:
        yield topic, stub


@pytest.mark.parametrize(("sender_fault", "calls", "error"), [(True, 1, StorageError), (False, 5, Unavailable)])
def test_messages_that_cannot_be_published_raise(stubbed, sender_fault, calls, error):
    topic, stub = stubbed
    failed = [{"Id": "0", "Code": "C", "Message": "why", "SenderFault": sender_fault}]
    for _ in range(calls):
        stub.add_response("publish_batch", {"Failed": failed}, {"TopicArn": ARN, "PublishBatchRequestEntries": ANY})
    with pytest.raises(error, match=r"1 of 1.*why"):
        topic.publish(MESSAGES[:1])
    stub.assert_no_pending_responses()


def test_a_missing_permission_is_named(stubbed):
    topic, stub = stubbed
    stub.add_client_error("publish_batch", "AuthorizationError", http_status_code=403)
    with pytest.raises(Forbidden, match="publish to the topic"):
        topic.publish(MESSAGES)
