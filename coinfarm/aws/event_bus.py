"""Event buses of EventBridge. Import it lazily: boto3 is slow to load."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import Any

from coinfarm.aws.batch_calls import batches, call_with_retries
from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import NotFound, StorageError, Unavailable

_MAX_BATCH_BYTES = 200_000
"""EventBridge allows 256 KiB, with source, type and resources of each event."""
_TRANSIENT_CODES = ("ThrottlingException", "InternalFailure", "InternalException")


class EventBus:
    """The event bus with this ARN. Makes no call before its first use. Thread-safe."""

    def __init__(self, arn: str, source: str) -> None:
        """`source` is the source of all its events."""
        self.arn = arn
        self._source = source

    def put(self, detail_type: str, details: Iterable[Mapping[str, Any]]) -> None:
        """Send an event with each of the details, in as few calls as possible.

        Raises `NotFound`, `Forbidden`, `Unavailable` if a retry may succeed, and `StorageError` for other errors of EventBridge. What was
        sent by then stays sent.
        """
        for batch in batches(map(json.dumps, details), _MAX_BATCH_BYTES):
            failed = call_with_retries(batch, lambda entries: self._put(detail_type, entries))
            if failed:
                text = f"{self.arn}: {len(failed)} of {len(batch)} events could not be sent ({failed[0].reason})"
                raise StorageError(text) if failed[0].is_permanent else Unavailable(f"{text}; try again")

    def _put(self, detail_type: str, entries: list[tuple[str, str]]) -> Any:
        with _translate_errors(self.arn):
            response = self._client.put_events(
                Entries=[
                    {"EventBusName": self.arn, "Source": self._source, "DetailType": detail_type, "Detail": detail} for _, detail in entries
                ]
            )
        failed = [
            {
                "Id": entry_id,
                "Code": result["ErrorCode"],
                "Message": result.get("ErrorMessage", ""),
                "SenderFault": result["ErrorCode"] not in _TRANSIENT_CODES,
            }
            for (entry_id, _), result in zip(entries, response["Entries"], strict=True)
            if "ErrorCode" in result
        ]
        return {"Failed": failed}

    @cached_property
    def _client(self) -> Any:
        return aws_client("events", region=self.arn.split(":")[3])


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    return NotFound(f"{where}: no such event bus") if response.code == "ResourceNotFoundException" else None


_ERROR_MESSAGES = ServiceErrorMessages(
    "EventBridge", required_permission="call events:PutEvents", unreachable="the bus cannot be reached", specific_error=_specific_error
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
