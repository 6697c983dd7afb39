"""The outputs of `coinfarm watch` beside the table."""

import json
import signal

import boto3
import pytest
from moto import mock_aws

from coinfarm.cli.watch import _outputs
from coinfarm.live.live_message import EXAMPLE_MESSAGE
from tests.support.cli_runner import coinfarm


@pytest.fixture
def topic():
    """A topic's ARN, and a function that returns the messages of its subscriber, which wants one symbol only."""
    with mock_aws():
        queues, topics = boto3.client("sqs", "us-east-1"), boto3.client("sns", "us-east-1")
        url = queues.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = topics.create_topic(Name="predictions")["TopicArn"]
        queue_arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        wanted = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"symbol": ["ETHUSDT"]})}
        topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes=wanted)
        yield arn, lambda: queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])


def test_publishes_predictions_to_a_topic_by_symbol(topic, capsys):
    arn, received = topic
    messages = [EXAMPLE_MESSAGE | {"symbol": symbol} for symbol in ("BTCUSDT", "ETHUSDT")]
    with _outputs(False, None, None, arn) as output:
        output.show(messages)
    assert [json.loads(message["Body"]) for message in received()] == messages[1:]
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == messages
    assert "SNS: 2 predictions sent, 0 dropped" in printed.err


def test_a_template_needs_a_webhook(tmp_path):
    (tmp_path / "body.j2").write_text("{{ symbol }}")
    result = coinfarm("watch", "BTC/USDT", "--store", tmp_path, "--webhook-template", tmp_path / "body.j2")
    assert (result.exit_code, "--webhook" in result.stderr) == (2, True)


def test_sigterm_before_the_exchange_has_answered_ends_with_0(tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("coinfarm.live.watch_session.Exchange", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    result = coinfarm("watch", "BTC/USDT", "--store", tmp_path)
    assert (result.exit_code, signal.getsignal(signal.SIGTERM)) == (0, before)
