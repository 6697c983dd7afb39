import json

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from coinfarm.aws import sqs as queue_module
from coinfarm.aws.sqs import MAX_BYTES, Depth, Queue
from coinfarm.errors import Forbidden, NotFound, StorageError, TooLarge, Unavailable


@pytest.fixture
def aws():
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def queue(aws):
    return Queue(aws.create_queue(QueueName="shards")["QueueUrl"])


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, which take no time here."""
    pauses = []
    monkeypatch.setattr(queue_module.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def stubbed(pauses):
    """A queue whose answers the test writes itself."""
    queue = Queue("https://sqs.us-east-1.amazonaws.com/1/shards")
    with Stubber(queue._client) as stub:
        yield queue, stub
        stub.assert_no_pending_responses()


def all_of(queue):
    found = []
    while messages := queue.receive():
        found += messages
    return found


def test_nothing_is_asked_of_a_queue_until_it_is_used():
    assert Queue("https://sqs.us-east-1.amazonaws.com/1/nowhere").url.endswith("nowhere")


def test_every_message_sent_arrives_once(queue):
    bodies = [f"message {number}" for number in range(23)]
    told = []
    queue.send(iter(bodies), told.append)
    assert told == [10, 20, 23]
    assert sorted(message.body for message in all_of(queue)) == sorted(bodies)


def test_a_call_carries_no_more_bytes_than_sqs_takes(queue):
    bodies = ["é" * (MAX_BYTES // 5)] * 5  # two bytes each in UTF-8
    told = []
    queue.send(bodies, told.append)
    assert told == [2, 4, 5]


def test_a_body_that_no_call_can_carry_is_refused_before_it_is_sent(queue):
    with pytest.raises(TooLarge, match="1,048,577 bytes is larger than the 1,048,576"):
        queue.send(["x" * (MAX_BYTES + 1)])


def test_each_delivery_is_numbered_and_has_a_receipt_of_its_own(queue):
    queue.send(["hello"])
    (first,) = queue.receive(visibility_timeout_s=0)
    (second,) = queue.receive(visibility_timeout_s=0)
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert first.message_id == second.message_id
    assert first.receipt != second.receipt


def test_a_deleted_message_does_not_come_back(queue):
    queue.send(str(number) for number in range(12))
    done = all_of(queue)
    assert queue.delete([message.receipt for message in done]) == {}
    assert queue.depth() == Depth(0, 0, 0)


def test_a_message_given_back_is_visible_at_once(queue):
    queue.send(["hello"])
    (message,) = queue.receive(visibility_timeout_s=600)
    assert queue.receive() == []
    assert queue.extend([message.receipt], 0) == {}
    assert [again.body for again in queue.receive()] == ["hello"]


def test_depth_counts_what_waits_and_what_is_in_work(queue, aws):
    queue.send(["a", "b", "c"])
    aws.send_message(QueueUrl=queue.url, MessageBody="later", DelaySeconds=60)
    queue.receive(most=2, visibility_timeout_s=600)
    assert queue.depth() == Depth(visible=1, in_flight=2, delayed=1)
    assert queue.depth().total == 4


def test_dead_letters_are_found_by_the_redrive_policy(queue, aws):
    assert queue.dead_letters() is None
    dead = aws.create_queue(QueueName="dead")["QueueUrl"]
    arn = aws.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    aws.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
    assert queue.dead_letters().url == dead


def test_dead_letters_move_back_whole(queue, aws):
    dead = Queue(aws.create_queue(QueueName="dead")["QueueUrl"])
    dead.send(str(number) for number in range(13))
    told = []
    assert dead.move_to(queue, told.append) == 13
    assert told[-1] == 13
    assert dead.depth().total == 0
    assert sorted(int(message.body) for message in all_of(queue)) == list(range(13))


def test_poison_that_comes_back_while_it_is_moved_does_not_keep_the_move_going(queue, aws):
    """As where workers are alive; else one would wait for ever."""
    dead = Queue(aws.create_queue(QueueName="dead")["QueueUrl"])
    dead.send(str(number) for number in range(13))
    assert dead.move_to(queue, lambda _: dead.send(["poison"])) == 13


def test_what_cannot_be_moved_stays(queue, aws):
    dead = Queue(aws.create_queue(QueueName="dead")["QueueUrl"])
    dead.send(["hello"])
    with pytest.raises(NotFound):
        dead.move_to(Queue(queue.url + "-gone"))
    assert dead.depth().total == 1


def failed(*entries, sender=False):
    return [{"Id": entry, "SenderFault": sender, "Code": "InternalError", "Message": "a bad day"} for entry in entries]


def sent(*entries):
    return [{"Id": entry, "MessageId": entry, "MD5OfMessageBody": "-"} for entry in entries]


def entries(*numbers):
    return {"QueueUrl": ANY, "Entries": [{"Id": str(number), "MessageBody": f"message {number}"} for number in numbers]}


def test_only_the_messages_that_were_not_taken_are_sent_again(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": sent("0", "2"), "Failed": failed("1", "3")}, entries(0, 1, 2, 3))
    stub.add_response("send_message_batch", {"Successful": sent("1"), "Failed": failed("3")}, entries(1, 3))
    stub.add_response("send_message_batch", {"Successful": sent("3"), "Failed": []}, entries(3))
    told = []
    queue.send([f"message {number}" for number in range(4)], told.append)
    assert told == [4]
    assert pauses == [0.2, 0.4]


def test_messages_that_are_never_taken_end_in_an_error(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": sent("0"), "Failed": failed("1")})
    for _ in range(4):
        stub.add_response("send_message_batch", {"Successful": [], "Failed": failed("1")}, entries(1))
    with pytest.raises(Unavailable, match=r"1 of 2 messages were not taken \(InternalError: a bad day\); try again"):
        queue.send(["message 0", "message 1"])


def test_a_message_that_sqs_refuses_is_not_sent_again(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": [], "Failed": failed("0", sender=True)})
    with pytest.raises(StorageError, match="SQS refuses a message"):
        queue.send(["message 0"])
    assert pauses == []


def test_what_could_not_be_deleted_is_reported(stubbed):
    queue, stub = stubbed
    stub.add_response("delete_message_batch", {"Successful": [{"Id": "0"}], "Failed": failed("1", sender=True)})
    assert queue.delete(["a", "b"]) == {"b": "InternalError: a bad day"}


@pytest.mark.parametrize(
    ("code", "status", "error", "words"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", 400, NotFound, "there is no such queue"),
        ("AccessDenied", 403, Forbidden, "denies access"),
        ("KMS.AccessDeniedException", 400, Forbidden, "denies access"),
        ("RequestThrottled", 400, Unavailable, "is unavailable"),
        ("ServiceUnavailable", 503, Unavailable, "is unavailable"),
        ("InvalidParameterValue", 400, StorageError, "InvalidParameterValue"),
    ],
)
def test_what_sqs_refuses_becomes_an_error_of_ours(stubbed, code, status, error, words):
    queue, stub = stubbed
    stub.add_client_error("receive_message", code, http_status_code=status)
    with pytest.raises(error, match=words) as raised:
        queue.receive()
    assert type(raised.value) is error
    assert str(raised.value).startswith(queue.url)


def test_without_credentials_access_is_refused(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Forbidden, match="no AWS credentials"):
        Queue("https://sqs.us-east-1.amazonaws.com/1/shards").depth()


def test_a_queue_is_asked_in_the_region_of_its_url():
    assert Queue("https://sqs.eu-west-3.amazonaws.com/1/shards")._client.meta.region_name == "eu-west-3"
    assert Queue("http://127.0.0.1:5000/1/shards")._client.meta.region_name == "us-east-1"


@pytest.mark.parametrize(
    ("url", "region"),
    [
        pytest.param("https://sqs.eu-central-1.amazonaws.com/1/shards", "eu-central-1", id="told by its URL"),
        pytest.param("http://127.0.0.1:5000/1/shards", "eu-west-1", id="told by AWS_REGION"),
    ],
)
def test_its_region_is_known_without_botocores_own_variable(monkeypatch, url, region):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Queue(url)._client.meta.region_name == region
