"""Publishes live predictions to an SNS topic and to an event bus of EventBridge."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from coinfarm.errors import StorageError
from coinfarm.live.live_message import live_messages
from coinfarm.live.live_store import LiveFeed
from handler.telemetry import count, logger

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.aws.event_bus import EventBus
    from coinfarm.aws.sns import Topic

SOURCE = "coinfarm"
DETAIL_TYPE = "Candle Predicted"
ATTRIBUTES = ("exchange", "symbol", "interval")
"""Fields that are attributes of the topic's messages too, so that a subscription can filter by them."""
MAX_AGE_MS = 3_600_000
"""Predictions that were made later than this after their candle's close are stored, and not published: nobody can act on them."""


def publish(feed: LiveFeed, new: "pa.Table", topic_arn: str | None, event_bus_arn: str | None) -> int:
    """Publish the predictions among the new rows, and return their number.

    If one destination fails, the other still gets them; then the error is raised. Nothing is published twice, so an error loses messages.
    """
    destinations = {arn: send for arn, send in ((topic_arn, _to_topic), (event_bus_arn, _to_event_bus)) if arn is not None}
    if not destinations:
        return 0
    messages = [each for each in live_messages(feed, new) if each["predictions"] and each["predictedAt"] - each["closeTime"] <= MAX_AGE_MS]
    failures = [error for arn, send in destinations.items() if messages and (error := _failure(send, arn, messages))]
    if failures:
        raise failures[0]
    return len(messages)


def _failure(send: Callable[[str, list[dict[str, Any]]], None], arn: str, messages: list[dict[str, Any]]) -> StorageError | None:
    try:
        send(arn, messages)
    except StorageError as error:
        logger.error("predictions not published", extra={"destination": arn, "predictions": len(messages), "reason": str(error)})
        count("UnpublishedPredictions", len(messages))
        return error
    return None


def _to_topic(arn: str, messages: list[dict[str, Any]]) -> None:
    _topic(arn).publish(messages, ATTRIBUTES)


def _to_event_bus(arn: str, messages: list[dict[str, Any]]) -> None:
    _event_bus(arn).put(DETAIL_TYPE, messages)


# one client of each per container: creating one takes longer than a call


@cache
def _topic(arn: str) -> "Topic":
    from coinfarm.aws.sns import Topic

    return Topic(arn)


@cache
def _event_bus(arn: str) -> "EventBus":
    from coinfarm.aws.event_bus import EventBus

    return EventBus(arn, SOURCE)
