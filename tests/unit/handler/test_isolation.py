from random import Random
from uuid import UUID

import pytest

from coinfarm.aws.sqs import QueueMessage
from handler.isolation import split_batches


def received(name, receive_count=1):
    return QueueMessage(name, "", f"receipt of {name}", receive_count)


def test_messages_that_may_have_ended_their_workers_come_last_and_alone():
    messages = [received("killer", 3), received("new"), received("old", 5), received("again", 2)]
    fresh, *alone = ([message.message_id for message in turn] for turn in split_batches(messages))
    assert fresh == ["new", "again"]
    assert sorted(alone) == [["killer"], ["old"]]


def test_where_nothing_was_received_there_is_no_turn():
    assert list(split_batches([])) == []


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("neighbours", [1, 9])
def test_whoever_kills_is_the_last_one_left_before_its_fifth_delivery(seed, neighbours):
    """Delivered together and killed together, again and again; they may have been delivered before, one oftener than another."""
    random = Random(seed)
    ids = [str(UUID(int=random.getrandbits(128))) for _ in range(neighbours + 1)]
    before = {name: random.choice([0, 1]) for name in ids}
    killer, left = ids[seed % len(ids)], ids
    for delivery in range(1, 5):
        for turn in split_batches([received(name, before[name] + delivery) for name in left]):
            names = [message.message_id for message in turn]
            if killer in names:
                break
            left = [name for name in left if name not in names]
    assert left == [killer]
