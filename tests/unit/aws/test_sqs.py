import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from coinfarm.aws import batch_calls
from coinfarm.aws.sqs import MAX_MESSAGE_BYTES, Depth, Queue
from coinfarm.errors import NotFound, StorageError, TooLarge, Unavailable
from tests.support.moto_server import queue_with_dead_letter_queue


@pytest.fixture
def aws():
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def queue(aws):
    return Queue(aws.create_queue(QueueName="shards")["QueueUrl"])


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, in seconds, which are recorded instead of slept."""
    pauses = []
    monkeypatch.setattr(batch_calls.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def stubbed(pauses):
    """A queue, and a stub of its client."""
    queue = Queue("https://sqs.us-east-1.amazonaws.com/1/shards")
    with Stubber(queue._client) as stub:
        yield queue, stub
        stub.assert_no_pending_responses()


def all_messages(queue):
    found = []
    while messages := queue.receive():
        found += messages
    return found


def test_every_message_arrives_once_and_not_again_after_its_deletion(queue):
    bodies = [f"message {number}" for number in range(23)]
    progress = []
    queue.send(iter(bodies), progress.append)
    assert progress == [10, 20, 23]
    received = all_messages(queue)
    assert sorted(message.body for message in received) == sorted(bodies)
    assert queue.delete([message.receipt for message in received]) == {}
    assert queue.depth() == Depth(0, 0, 0)


def test_a_call_has_at_most_the_bytes_that_sqs_allows(queue):
    bodies = ["é" * (MAX_MESSAGE_BYTES // 5)] * 5  # two bytes each in UTF-8
    progress = []
    queue.send(bodies, progress.append)
    assert progress == [2, 4, 5]
    with pytest.raises(TooLarge, match=r"1,048,577 .*1,048,576"):
        queue.send(["x" * (MAX_MESSAGE_BYTES + 1)])


def test_a_visibility_timeout_of_zero_makes_a_message_visible_at_once(queue):
    queue.send(["hello"])
    (first,) = queue.receive(visibility_timeout_s=600)
    assert queue.receive() == []
    assert queue.change_visibility([first.receipt], 0) == {}
    (second,) = queue.receive()
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert (first.message_id, first.body) == (second.message_id, second.body)
    assert first.receipt != second.receipt


def test_depth_counts_visible_in_flight_and_delayed_messages(queue, aws):
    queue.send(["a", "b", "c"])
    aws.send_message(QueueUrl=queue.url, MessageBody="later", DelaySeconds=60)
    queue.receive(max_messages=2, visibility_timeout_s=600)
    assert queue.depth() == Depth(visible=1, in_flight=2, delayed=1)
    assert queue.depth().total == 4


def test_the_dead_letter_queue_is_that_of_the_redrive_policy(queue):
    assert queue.dead_letter_queue() is None
    assert queue_with_dead_letter_queue(5).dead_letter_queue().url.rpartition("/")[2].startswith("dead-")


@pytest.fixture
def dead(aws):
    """A dead-letter queue with 13 messages."""
    dead = Queue(aws.create_queue(QueueName="dead")["QueueUrl"])
    dead.send(str(number) for number in range(13))
    return dead


def test_messages_that_cannot_be_moved_stay(queue, dead):
    with pytest.raises(NotFound):
        dead.move_to(Queue(queue.url + "-gone"))
    assert dead.depth().total == 13


def test_all_dead_letters_move_back(queue, dead):
    progress = []
    assert dead.move_to(queue, progress.append) == 13
    assert progress[-1] == 13
    assert dead.depth().total == 0
    assert sorted(int(message.body) for message in all_messages(queue)) == list(range(13))


def test_a_move_ends_although_messages_keep_failing(queue, dead):
    assert dead.move_to(queue, lambda _: dead.send(["poison"])) == 13


def failed(*entries, sender=False):
    return [{"Id": entry, "SenderFault": sender, "Code": "InternalError", "Message": "a bad day"} for entry in entries]


def sent(*entries):
    return [{"Id": entry, "MessageId": entry, "MD5OfMessageBody": "-"} for entry in entries]


def entries(*numbers):
    return {"QueueUrl": ANY, "Entries": [{"Id": str(number), "MessageBody": f"message {number}"} for number in numbers]}


def test_only_failed_messages_are_sent_again(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": sent("0", "2"), "Failed": failed("1", "3")}, entries(0, 1, 2, 3))
    stub.add_response("send_message_batch", {"Successful": sent("1"), "Failed": failed("3")}, entries(1, 3))
    stub.add_response("send_message_batch", {"Successful": sent("3"), "Failed": []}, entries(3))
    progress = []
    queue.send([f"message {number}" for number in range(4)], progress.append)
    assert progress == [4]
    assert pauses == [0.2, 0.4]


def test_gives_up_after_five_attempts(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": sent("0"), "Failed": failed("1")})
    for _ in range(4):
        stub.add_response("send_message_batch", {"Successful": [], "Failed": failed("1")}, entries(1))
    with pytest.raises(Unavailable, match=r"1 of 2 .*InternalError: a bad day"):
        queue.send(["message 0", "message 1"])


def test_permanent_failures_are_not_retried(stubbed, pauses):
    queue, stub = stubbed
    stub.add_response("send_message_batch", {"Successful": [], "Failed": failed("0", sender=True)})
    with pytest.raises(StorageError) as raised:
        queue.send(["message 0"])
    assert type(raised.value) is StorageError
    stub.add_response("delete_message_batch", {"Successful": [{"Id": "0"}], "Failed": failed("1", sender=True)})
    assert queue.delete(["a", "b"]) == {"b": "InternalError: a bad day"}
    assert pauses == []
