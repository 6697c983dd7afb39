"""SQS queues. Import it lazily: boto3 is slow to load."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.batch_calls import MAX_ENTRIES_PER_CALL, batches, call_with_retries
from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import NotFound, StorageError, TooLarge, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_MESSAGE_BYTES = 1 << 20
"""SQS's limit for one message, and for all messages of one call together."""
MAX_WAIT_S = 20


@dataclass(frozen=True)
class QueueMessage:
    """A received message. `receipt` is the receipt handle of this delivery; `receive_count` is 1 for the first delivery."""

    message_id: str
    body: str
    receipt: str
    receive_count: int


@dataclass(frozen=True)
class Depth:
    """The approximate number of messages in a queue: SQS updates it with some seconds' delay."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


class Queue:
    """The queue at `url`. Makes no call before its first use. Thread-safe.

    Every method raises `NotFound`, `Forbidden`, `Unavailable` if a retry may succeed, and `StorageError` for other errors of SQS. boto3 has
    then retried the call a few times.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, bodies: Iterable[str], on_sent: Callable[[int], None] = lambda _: None) -> None:
        """Send the messages in order, in as few calls as possible; `on_sent(count)` is called after each with the number sent so far.

        A caller that resumes from there after an error sends at most ten messages twice. Raises `TooLarge` for a body above
        `MAX_MESSAGE_BYTES`.
        """
        sent = 0
        for batch in batches(_checked(bodies), MAX_MESSAGE_BYTES):
            failed = call_with_retries(batch, self._send)
            if failed:
                first = failed[0]
                if first.is_permanent:
                    raise StorageError(f"{self.url}: SQS rejected a message ({first.reason})")
                raise Unavailable(f"{self.url}: {len(failed)} of {len(batch)} messages could not be sent ({first.reason}); try again")
            sent += len(batch)
            on_sent(sent)

    def receive(
        self, max_messages: int = MAX_ENTRIES_PER_CALL, wait_s: int = 0, visibility_timeout_s: int | None = None
    ) -> list[QueueMessage]:
        """Up to `max_messages` (1 to 10) messages; an empty list if none arrives within `wait_s` (0 to 20).

        `visibility_timeout_s` defaults to the queue's own visibility timeout.
        """
        options: dict[str, Any] = {} if visibility_timeout_s is None else {"VisibilityTimeout": visibility_timeout_s}
        with _translate_errors(self.url):
            response = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=max_messages,
                WaitTimeSeconds=wait_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                **options,
            )
        return [
            QueueMessage(
                message["MessageId"], message["Body"], message["ReceiptHandle"], int(message["Attributes"]["ApproximateReceiveCount"])
            )
            for message in response.get("Messages", [])
        ]

    def delete(self, receipts: Sequence[str]) -> dict[str, str]:
        """Delete messages. Returns receipt → reason of those that could not be deleted, which will be delivered again."""
        return self._each_receipt(receipts, self._delete)

    def change_visibility(self, receipts: Sequence[str], visibility_timeout_s: int) -> dict[str, str]:
        """Set the visibility timeout of received messages; 0 makes them visible at once. Returns receipt → reason of the failures."""
        return self._each_receipt(receipts, lambda entries: self._change_visibility(entries, visibility_timeout_s))

    def depth(self) -> Depth:
        """The number of messages in the queue."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
        attributes = self._attributes(*names)
        return Depth(*(int(attributes[name]) for name in names))

    def dead_letter_queue(self) -> "Queue | None":
        """The dead-letter queue, or None."""
        policy = json.loads(self._attributes("RedrivePolicy").get("RedrivePolicy", "{}"))
        if "deadLetterTargetArn" not in policy:
            return None
        *_, owner, name = policy["deadLetterTargetArn"].split(":")
        with _translate_errors(self.url):
            return Queue(self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"])

    def move_to(self, other: "Queue", on_moved: Callable[[int], None] = lambda _: None) -> int:
        """Move the messages that are in this queue now to another queue, and return their number; `on_moved(count)` reports progress.

        It stops after that number, not when the queue is empty, because messages that fail again come back while it runs. It does not use
        SQS's own redrive task, which needs more permissions and reports no progress. An interruption can duplicate a message, but never
        lose one.
        """
        moved, total = 0, self.depth().total
        while moved < total and (messages := self.receive(min(MAX_ENTRIES_PER_CALL, total - moved), wait_s=1, visibility_timeout_s=60)):
            other.send(message.body for message in messages)
            self.delete([message.receipt for message in messages])
            moved += len(messages)
            on_moved(moved)
        return moved

    @cached_property
    def _client(self) -> "SQSClient":
        match = re.match(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.", self.url)
        client: SQSClient = aws_client("sqs", region=match[1] if match else None, read_timeout_s=MAX_WAIT_S + 10)
        return client

    def _attributes(self, *names: Any) -> dict[str, str]:
        with _translate_errors(self.url):
            found: dict[Any, str] = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names).get("Attributes", {})
        return {name: found[name] for name in names if name in found}

    def _each_receipt(self, receipts: Sequence[str], call: Callable[[list[Any]], Any]) -> dict[str, str]:
        failed: dict[str, str] = {}
        for at in range(0, len(receipts), MAX_ENTRIES_PER_CALL):
            failed.update((failure.value, failure.reason) for failure in call_with_retries(receipts[at : at + MAX_ENTRIES_PER_CALL], call))
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

    def _change_visibility(self, entries: list[tuple[str, str]], visibility_timeout_s: int) -> Any:
        with _translate_errors(self.url):
            return self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": entry_id, "ReceiptHandle": receipt, "VisibilityTimeout": visibility_timeout_s} for entry_id, receipt in entries
                ],
            )


def _checked(bodies: Iterable[str]) -> Iterator[str]:
    for body in bodies:
        size = len(body.encode())
        if size > MAX_MESSAGE_BYTES:
            raise TooLarge(f"a message of {size:,} bytes exceeds SQS's limit of {MAX_MESSAGE_BYTES:,}: refer to a candle file instead")
        yield body


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    if response.code.endswith(("NonExistentQueue", "QueueDoesNotExist", "InvalidAddress")):
        return NotFound(f"{where}: no such queue")
    return None


_ERROR_MESSAGES = ServiceErrorMessages(
    "SQS", required_permission="use the queue", unreachable="the queue cannot be reached", specific_error=_specific_error
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
