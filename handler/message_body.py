"""The body of an SQS message: a request, or an event of another service that is delivered through the queue."""

from typing import Any

from pydantic_core import from_json

from handler.event_kinds import EventKind, UnknownEvent, event_kind

_SNS = '"TopicArn"'
_S3 = ('"aws.s3"', '"aws:s3"')


def unwrapped(body: str) -> str:
    """The message inside a notification of SNS, as a topic delivers it unless the subscription has raw delivery; or the body itself."""
    fields = _fields(body) if _SNS in body else {}
    message = fields.get("Message")
    return message if fields.get("Type") == "Notification" and isinstance(message, str) else body


def upload_event(body: str) -> dict[str, Any] | None:
    """The event of S3 in a body; None for any other body."""
    if not any(source in body for source in _S3):
        return None
    fields = _fields(body)
    try:
        return fields if event_kind(fields) is EventKind.UPLOAD else None
    except UnknownEvent:
        return None


def _fields(body: str) -> dict[str, Any]:
    """The object in a body, which is parsed only if it contains the name of its service: requests have megabytes of candles."""
    try:
        fields = from_json(body.encode(errors="surrogatepass"))  # a lone surrogate is invalid JSON
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
