"""SNS topics. Import it lazily: boto3 is slow to load."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import Any

from coinfarm.aws.batch_calls import batches, call_with_retries
from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import NotFound, StorageError, Unavailable

_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+")
_MAX_BATCH_BYTES = 200_000
"""SNS allows 256 KiB, attributes included."""


class Topic:
    """The topic with this ARN. Makes no call before its first use. Thread-safe. Raises `StorageError` for another text."""

    def __init__(self, arn: str) -> None:
        if not _ARN.fullmatch(arn):
            raise StorageError(f"{arn!r} is not the ARN of a topic: write arn:aws:sns:REGION:ACCOUNT:NAME")
        self.arn = arn

    def publish(self, messages: Iterable[Mapping[str, Any]], attribute_names: Iterable[str] = ()) -> None:
        """Publish each message as JSON, in order and in as few calls as possible.

        The text fields `attribute_names` are also sent as attributes, by which subscriptions filter. Raises `NotFound`, `Forbidden`,
        `Unavailable` if a retry may succeed, and `StorageError` for other errors of SNS. What was published by then stays published.
        """
        names = tuple(attribute_names)
        for batch in batches(map(json.dumps, messages), _MAX_BATCH_BYTES):
            failed = call_with_retries(batch, lambda entries: self._publish(entries, names))
            if failed:
                text = f"{self.arn}: {len(failed)} of {len(batch)} messages could not be published ({failed[0].reason})"
                raise StorageError(text) if failed[0].is_permanent else Unavailable(f"{text}; try again")

    def _publish(self, entries: list[tuple[str, str]], attribute_names: tuple[str, ...]) -> Any:
        def attributes(message: str) -> dict[str, Any]:
            fields = json.loads(message)
            return {name: {"DataType": "String", "StringValue": fields[name]} for name in attribute_names}

        with _translate_errors(self.arn):
            return self._client.publish_batch(
                TopicArn=self.arn,
                PublishBatchRequestEntries=[
                    {"Id": entry_id, "Message": message, "MessageAttributes": attributes(message)} for entry_id, message in entries
                ],
            )

    @cached_property
    def _client(self) -> Any:
        return aws_client("sns", region=self.arn.split(":")[3])


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    return NotFound(f"{where}: no such topic") if response.code in ("NotFound", "NotFoundException") else None


_ERROR_MESSAGES = ServiceErrorMessages(
    "SNS", required_permission="publish to the topic", unreachable="the topic cannot be reached", specific_error=_specific_error
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
