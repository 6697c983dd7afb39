"""A queue of SQS, through boto3: the one place that speaks to it. Import it where a queue is first needed; boto3 is slow to load."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import AwsService, ErrorResponse, translate_errors
from coinfarm.errors import NotFound, StorageError, TooLarge, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_MESSAGES_PER_CALL = 10
"""The most messages that SQS takes or gives in one call."""
MAX_BYTES = 1 << 20
"""The most bytes of one message, and of all that go with one call."""
MAX_WAIT_S = 20

_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.2


@dataclass(frozen=True)
class QueueMessage:
    """One message as it was received: `receipt` belongs to this delivery, `receive_count` numbers it, from 1."""

    message_id: str
    body: str
    receipt: str
    receive_count: int


@dataclass(frozen=True)
class Depth:
    """How many messages a queue holds, about: SQS counts them with some seconds' delay."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class Queue:
    """The queue at a URL; nothing is asked of it yet. Thread-safe.

    Every method raises `NotFound`, `Forbidden`, `Unavailable` where another try may do better, and another `StorageError` for what
    else SQS refuses. Calls that fail on the way are tried again a few times before that.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, bodies: Iterable[str], on_sent: Callable[[int], None] = lambda _: None) -> None:
        """Send the messages in order, as many in a call as SQS takes; `on_sent(so_far)` is told after each call how many it has for sure.

        Who goes on after an error from there sends at most ten messages twice. Raises `TooLarge` for a body that no call can carry.
        """
        so_far = 0
        for batch in _batches(bodies):
            failed = _settled(batch, self._send)
            if failed:
                first = failed[0]
                if first.for_good:
                    raise StorageError(f"{self.url}: SQS refuses a message ({first.reason})")
                raise Unavailable(f"{self.url}: {len(failed)} of {len(batch)} messages were not taken ({first.reason}); try again")
            so_far += len(batch)
            on_sent(so_far)

    def receive(self, most: int = MAX_MESSAGES_PER_CALL, wait_s: int = 0, visibility_timeout_s: int | None = None) -> list[QueueMessage]:
        """Up to `most` (1 to 10) messages, none after `wait_s` (0 to 20) without any.

        Others do not see them for `visibility_timeout_s`, or for the queue's own visibility timeout.
        """
        hidden: dict[str, Any] = {} if visibility_timeout_s is None else {"VisibilityTimeout": visibility_timeout_s}
        with _translate_errors(self.url):
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                **hidden,
            )
        return [
            QueueMessage(found["MessageId"], found["Body"], found["ReceiptHandle"], int(found["Attributes"]["ApproximateReceiveCount"]))
            for found in answer.get("Messages", [])
        ]

    def delete(self, receipts: Sequence[str]) -> dict[str, str]:
        """Delete what is done; of those that could not be deleted, receipt → reason: they will be delivered again."""
        return self._each_receipt(receipts, self._delete)

    def extend(self, receipts: Sequence[str], visibility_timeout_s: int) -> dict[str, str]:
        """Hide messages in work for so long from now on (0 gives them back at once); of those that are no longer ours, receipt → reason."""
        return self._each_receipt(receipts, lambda entries: self._hide(entries, visibility_timeout_s))

    def depth(self) -> Depth:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
        found = self._attributes(*names)
        return Depth(*(int(found[name]) for name in names))

    def dead_letters(self) -> "Queue | None":
        """The queue where messages rest that failed too often; None where the queue has no such."""
        policy = json.loads(self._attributes("RedrivePolicy").get("RedrivePolicy", "{}"))
        if "deadLetterTargetArn" not in policy:
            return None
        *_, owner, name = policy["deadLetterTargetArn"].split(":")
        with _translate_errors(self.url):
            return Queue(self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"])

    def move_to(self, other: "Queue", on_moved: Callable[[int], None] = lambda _: None) -> int:
        """Send the messages to another queue, as many as were there at the beginning, and return how many; `on_moved(so_far)` is told
        as it goes. Not until none is left: what no worker can do comes back as fast as it is moved.

        By hand rather than by SQS's own task, which runs unseen and asks for rights of its own. Where it is cut off, a message may lie in
        both queues, but never in none.
        """
        so_far, most = 0, self.depth().total
        while so_far < most and (messages := self.receive(min(MAX_MESSAGES_PER_CALL, most - so_far), wait_s=1, visibility_timeout_s=60)):
            other.send(message.body for message in messages)
            self.delete([message.receipt for message in messages])
            so_far += len(messages)
            on_moved(so_far)
        return so_far

    @cached_property
    def _client(self) -> "SQSClient":
        named = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.", self.url)
        client: SQSClient = aws_client("sqs", region=named[1] if named else None, read_timeout_s=MAX_WAIT_S + 10)
        return client

    def _attributes(self, *names: Any) -> dict[str, str]:
        with _translate_errors(self.url):
            found: dict[Any, str] = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names).get("Attributes", {})
        return {name: found[name] for name in names if name in found}

    def _each_receipt(self, receipts: Sequence[str], call: Callable[[list[Any]], Any]) -> dict[str, str]:
        failed: dict[str, str] = {}
        for at in range(0, len(receipts), MAX_MESSAGES_PER_CALL):
            failed.update((failure.value, failure.reason) for failure in _settled(receipts[at : at + MAX_MESSAGES_PER_CALL], call))
        return failed

    def _send(self, entries: list[tuple[str, str]]) -> Any:
        with _translate_errors(self.url):
            return self._client.send_message_batch(
                QueueUrl=self.url, Entries=[{"Id": entry_id, "MessageBody": body} for entry_id, body in entries]
            )

    def _delete(self, entries: list[tuple[str, str]]) -> Any:
        with _translate_errors(self.url):
            return self._client.delete_message_batch(
                QueueUrl=self.url, Entries=[{"Id": entry_id, "ReceiptHandle": receipt} for entry_id, receipt in entries]
            )

    def _hide(self, entries: list[tuple[str, str]], visibility_timeout_s: int) -> Any:
        with _translate_errors(self.url):
            return self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": entry_id, "ReceiptHandle": receipt, "VisibilityTimeout": visibility_timeout_s} for entry_id, receipt in entries
                ],
            )


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    batch_bytes = 0
    for body in bodies:
        size = len(body.encode())
        if size > MAX_BYTES:
            raise TooLarge(f"a message of {size:,} bytes is larger than the {MAX_BYTES:,} that SQS takes: let it name its candles' file")
        if len(batch) == MAX_MESSAGES_PER_CALL or batch_bytes + size > MAX_BYTES:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(body)
        batch_bytes += size
    if batch:
        yield batch


class _Failure(NamedTuple):
    value: str
    reason: str
    for_good: bool


def _settled(values: Sequence[str], call: Callable[[list[tuple[str, str]]], Any]) -> list[_Failure]:
    """Call with `(entry id, value)` of each value, and again with those that failed on SQS's side; returns those that failed in the end."""
    waiting = {str(number): value for number, value in enumerate(values)}
    refused: list[_Failure] = []
    failed: dict[str, _Failure] = {}
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        failed = {
            entry["Id"]: _Failure(waiting[entry["Id"]], f"{entry['Code']}: {entry.get('Message', '')}", entry["SenderFault"])
            for entry in call(list(waiting.items())).get("Failed", [])
        }
        refused += [failure for failure in failed.values() if failure.for_good]
        waiting = {entry_id: failure.value for entry_id, failure in failed.items() if not failure.for_good}
        if not waiting:
            return refused
    return refused + [failed[entry_id] for entry_id in waiting]


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    if response.code.endswith(("NonExistentQueue", "QueueDoesNotExist", "InvalidAddress")):
        return NotFound(f"{where}: there is no such queue")
    return None


_SERVICE = AwsService("SQS", required_permission="use the queue", unreachable="the queue cannot be reached", specific_error=_specific_error)
_translate_errors = partial(translate_errors, service=_SERVICE)
