"""Isolation of poison messages: messages that may crash the process are processed alone, in Lambda and in the worker."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

_SUSPICIOUS_RECEIVE_COUNT = 3


class ReceivedMessage(Protocol):
    """A message of an event or of the queue; `receive_count` is the number of deliveries so far, from 1."""

    @property
    def message_id(self) -> str: ...
    @property
    def receive_count(self) -> int: ...


AnyMessage = TypeVar("AnyMessage", bound=ReceivedMessage)


def split_batches(messages: Sequence[AnyMessage]) -> Iterator[list[AnyMessage]]:
    """Batches to process one after another: first all new messages together, then each suspicious message alone.

    A message is suspicious from its third delivery on, because it may have crashed the process each time. A crash does not reveal which
    message caused it, so the order of suspicious messages is reversed at every delivery: a harmless message that came after the poison
    message comes before it the next time, and does not follow it to the dead-letter queue.
    """
    fresh = [message for message in messages if message.receive_count < _SUSPICIOUS_RECEIVE_COUNT]
    if fresh:
        yield fresh
    suspicious = [message for message in messages if message.receive_count >= _SUSPICIOUS_RECEIVE_COUNT]
    for message in sorted(suspicious, key=_order):
        yield [message]


def _order(message: ReceivedMessage) -> int:
    order = crc32(message.message_id.encode())
    return order if message.receive_count % 2 else ~order
