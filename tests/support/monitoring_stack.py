"""monitoring.yaml with and without a fleet, and what its widgets and alarms ask of CloudWatch."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.repository import ROOT
from tests.support.resolved_template import ResolvedTemplate

TEMPLATE = ROOT / "infrastructure/monitoring.yaml"
PARAMETERS = {
    "DashboardName": "farm",
    "ApiName": "farm api",
    "ApiFunctionName": "api-function",
    "BatchFunctionName": "batch-function",
    "QueueName": "queue",
    "DeadLetterQueueName": "dead",
    "LogGroupName": "logs",
}
FLEET = {
    "FleetQueueName": "fleet-queue",
    "FleetDeadLetterQueueName": "fleet-dead",
    "FleetGroupName": "fleet",
    "FleetLogGroupName": "fleet-logs",
}


class Asked(NamedTuple):
    """A metric that somebody asks for."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def monitoring(**parameters: str) -> ResolvedTemplate:
    """The stack, with a fleet unless `parameters` say otherwise."""
    return ResolvedTemplate(TEMPLATE, **(PARAMETERS | FLEET | parameters))


def widgets(stack: ResolvedTemplate) -> list[dict[str, Any]]:
    """Those of its dashboard."""
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    found: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return found


def metrics_of(widget: dict[str, Any]) -> tuple[list[tuple[Asked, dict[str, Any]]], list[dict[str, Any]]]:
    """The metrics of a widget with their options, and its expressions."""
    plain, expressions = [], []
    for entry in widget["properties"].get("metrics", []):
        if isinstance(entry[0], dict):
            expressions.append(entry[0])
        else:
            namespace, name, *dimensions, options = entry
            pairs = frozenset(zip(dimensions[::2], dimensions[1::2], strict=True))
            plain.append((Asked(namespace, name, pairs), options))
    return plain, expressions


def asked_by_alarm(alarm: dict[str, Any]) -> list[Asked]:
    """Of one metric, or of several that an expression takes together."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [
        Asked(metric["Namespace"], metric["MetricName"], frozenset((pair["Name"], pair["Value"]) for pair in metric["Dimensions"]))
        for metric in stats or [alarm]
    ]


def asked_for(stack: ResolvedTemplate) -> Iterator[Asked]:
    """By any widget or alarm."""
    for widget in widgets(stack):
        for asked, _ in metrics_of(widget)[0]:
            yield asked
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        yield from asked_by_alarm(alarm)
