"""The kinds of events that the Lambda function accepts, by their shape."""

from enum import Enum, auto
from typing import Any

from coinfarm.errors import CoinfarmError

WARM_UP = {"warmup": True}
OBJECT_CREATED = "Object Created"
"""The detail type of S3's events in EventBridge."""
_SCHEDULES = {("aws.events", "Scheduled Event"), ("aws.scheduler", "Scheduled Event")}
"""Source and detail type: of a rule of EventBridge, and of EventBridge Scheduler if the schedule has no input of its own."""


class UnknownEvent(CoinfarmError):
    """An event of another kind. It is raised: Lambda counts whatever an asynchronous invocation returns as a success."""


class EventKind(Enum):
    """What an event asks for."""

    API = auto()
    """An HTTP request: of a REST API, an HTTP API, a function URL or a load balancer."""
    QUEUE = auto()
    """Messages of SQS."""
    UPLOAD = auto()
    """Files that were uploaded to S3: a notification of the bucket, or an event of EventBridge."""
    LIVE = auto()
    """`{"live": {…}}`, the input of the stack's schedule: predict the candles that have closed."""
    WARM_UP = auto()
    """`{"warmup": true}`, or a schedule without an input."""
    PREDICTION = auto()
    """A request for predictions, by a direct invocation."""


def event_kind(event: Any) -> EventKind:
    """The kind of an event. Raises `UnknownEvent` for any other."""
    if not isinstance(event, dict):
        raise UnknownEvent(f"unknown event: {type(event).__name__} instead of a JSON object")
    if "requestContext" in event and "requestPayload" not in event:  # a record of an asynchronous invocation has both
        return EventKind.API
    if "Records" in event:
        return _kind_of_records(event["Records"])
    source = tuple(event.get(name) if isinstance(event.get(name), str) else None for name in ("source", "detail-type"))
    if event == WARM_UP or source in _SCHEDULES:
        return EventKind.WARM_UP
    if source == ("aws.s3", OBJECT_CREATED):
        return EventKind.UPLOAD
    if "live" in event:
        return EventKind.LIVE
    if "candles" in event:
        return EventKind.PREDICTION
    raise UnknownEvent(f"unknown event, with {_names(event)}: a request for predictions has `symbol`, `interval` and `candles`")


def _kind_of_records(records: Any) -> EventKind:
    sources = {_source(record) for record in records} if isinstance(records, list) else set()
    if sources == {"aws:sqs"}:
        return EventKind.QUEUE
    if sources == {"aws:s3"}:
        return EventKind.UPLOAD
    named = ", ".join(sorted(sources)) or "none"
    raise UnknownEvent(f"unknown event, with records of {named}: those of aws:sqs or of aws:s3 are accepted")


def _source(record: Any) -> str:
    """SNS spells it differently."""
    found = record.get("eventSource", record.get("EventSource")) if isinstance(record, dict) else None
    return found if isinstance(found, str) else "an unknown source"


def _names(event: dict[str, Any]) -> str:
    return ", ".join(map(repr, list(event)[:5])) or "no fields"
