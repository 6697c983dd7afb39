from random import Random
from uuid import UUID

import pytest

from handler.isolation import split_batches
from tests.support.fake_queue import received


def test_isolates_messages_from_their_third_delivery_on():
    messages = [received("poison", count=3), received("new"), received("old", count=5), received("again", count=2)]
    fresh, *alone = ([message.message_id for message in batch] for batch in split_batches(messages))
    assert fresh == ["new", "again"]
    assert sorted(alone) == [["old"], ["poison"]]
    assert list(split_batches([])) == []


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("others", [1, 9])
def test_harmless_messages_are_processed_before_the_fifth_delivery_of_a_poison_message(seed, others):
    """Each delivery of all remaining messages ends when the poison message crashes the process. Receive counts may differ by one."""
    random = Random(seed)
    ids = [str(UUID(int=random.getrandbits(128))) for _ in range(others + 1)]
    before = {name: random.choice([0, 1]) for name in ids}
    poison, left = ids[seed % len(ids)], ids
    for delivery in range(1, 5):
        for batch in split_batches([received(name, count=before[name] + delivery) for name in left]):
            names = [message.message_id for message in batch]
            if poison in names:
                break
            left = [name for name in left if name not in names]
    assert left == [poison]
