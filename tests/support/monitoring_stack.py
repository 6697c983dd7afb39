"""infrastructure/monitoring.yaml with and without its options, and the metrics that its widgets and alarms request from CloudWatch."""

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
LIVE = {"LiveFunctionName": "live-function", "LiveDeadLetterQueueName": "live-dead"}


class Metric(NamedTuple):
    """A metric that a widget or an alarm requests."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def monitoring_stack(**parameters: str) -> ResolvedTemplate:
    """The stack, with a fleet and live predictions unless `parameters` overwrite them."""
    return ResolvedTemplate(TEMPLATE, **(PARAMETERS | FLEET | LIVE | parameters))


def widgets_of(stack: ResolvedTemplate) -> list[dict[str, Any]]:
    """The widgets of its dashboard."""
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return widgets


def alarms_of(stack: ResolvedTemplate) -> dict[str, Any]:
    """The properties of its alarms, by logical id."""
    return stack.of_type("AWS::CloudWatch::Alarm")


def widget_metrics(widget: dict[str, Any]) -> tuple[list[tuple[Metric, dict[str, Any]]], list[dict[str, Any]]]:
    """The metrics of a widget with their options, and its expressions."""
    metrics, expressions = [], []
    for entry in widget["properties"].get("metrics", []):
        if isinstance(entry[0], dict):
            expressions.append(entry[0])
        else:
            namespace, name, *dimensions, options = entry
            pairs = frozenset(zip(dimensions[::2], dimensions[1::2], strict=True))
            metrics.append((Metric(namespace, name, pairs), options))
    return metrics, expressions


def requested_metrics(stack: ResolvedTemplate) -> Iterator[Metric]:
    """The metrics of all widgets and alarms."""
    for widget in widgets_of(stack):
        for metric, _ in widget_metrics(widget)[0]:
            yield metric
    for alarm in alarms_of(stack).values():
        queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        for query in queries or [alarm]:
            dimensions = frozenset((pair["Name"], pair["Value"]) for pair in query["Dimensions"])
            yield Metric(query["Namespace"], query["MetricName"], dimensions)
