"""Which messages of one delivery are worked on together, for Lambda and the worker alike."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

_SUSPICIOUS_DELIVERY = 3


class Delivered(Protocol):
    """A message, and the number of this delivery of it, from 1."""

    @property
    def message_id(self) -> str: ...
    @property
    def receive_count(self) -> int: ...


Message = TypeVar("Message", bound=Delivered)


def split_batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """What is to be worked on together; last, and each alone, those that may have ended the process that had them before.

    Which of these it was nobody knows. So they come in the reverse order at the next delivery: whoever stood behind the guilty one then
    stands before it, and none that is innocent follows it to the dead letters.
    """
    fresh = [message for message in messages if message.receive_count < _SUSPICIOUS_DELIVERY]
    if fresh:
        yield fresh
    for message in sorted((message for message in messages if message.receive_count >= _SUSPICIOUS_DELIVERY), key=_place):
        yield [message]


def _place(message: Delivered) -> int:
    place = crc32(message.message_id.encode())
    return place if message.receive_count % 2 else ~place
