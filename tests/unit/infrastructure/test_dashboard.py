"""The dashboard of infrastructure/monitoring.yaml: layout, metrics and estimated cost.

tests/unit/handler/test_telemetry.py compares the requested metrics with those that the code emits.
"""

import math
import re
from itertools import combinations

import pytest
from cfnlint.decode import cfn_yaml

from coinfarm.backfill import prices
from tests.support.metric_math import evaluate
from tests.support.monitoring_stack import (
    FLEET,
    LIVE,
    PARAMETERS,
    alarms_of,
    monitoring_stack,
    requested_metrics,
    widget_metrics,
    widgets_of,
)
from tests.support.repository import ROOT

WITH_ALL = monitoring_stack()
WITHOUT_FLEET = monitoring_stack(**dict.fromkeys(FLEET, ""))
WITHOUT_LIVE = monitoring_stack(**dict.fromkeys(LIVE, ""))
PLAIN = monitoring_stack(**dict.fromkeys(FLEET | LIVE, ""))

all_stacks = pytest.mark.parametrize(
    "stack", [WITH_ALL, WITHOUT_FLEET, WITHOUT_LIVE, PLAIN], ids=["with both", "without fleet", "without live", "without both"]
)


@all_stacks
def test_widgets_fill_the_grid_without_overlaps(stack):
    squares = [
        {(x, y) for x in range(widget["x"], widget["x"] + widget["width"]) for y in range(widget["y"], widget["y"] + widget["height"])}
        for widget in widgets_of(stack)
    ]
    assert all(not one & other for one, other in combinations(squares, 2))
    covered = set().union(*squares)
    assert {x for x, _ in covered} == set(range(24)), "CloudWatch's grid has 24 columns"
    assert len(covered) == 24 * (1 + max(y for _, y in covered))


@all_stacks
def test_dashboard_shows_every_alarm(stack):
    shown = {arn.rpartition(":")[2] for widget in widgets_of(stack) if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]}
    assert shown == alarms_of(stack).keys()


@all_stacks
def test_expressions_use_metrics_of_their_widget_and_every_hidden_metric_is_used(stack):
    for widget in widgets_of(stack):
        metrics, expressions = widget_metrics(widget)
        ids = [options["id"] for _, options in metrics if "id" in options]
        assert len(ids) == len(set(ids))
        formulas = [each["expression"] for each in expressions if not each["expression"].startswith("SEARCH(")]
        used = {name for formula in formulas for name in re.findall(r"\b[a-z]\w*", formula)}
        assert used <= set(ids), widget["properties"]["title"]
        assert {options["id"] for _, options in metrics if options.get("visible") is False} <= used, widget["properties"]["title"]


# From AWS's documentation: "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions", "Available CloudWatch
# metrics for Amazon SQS", "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling", "Monitoring CloudWatch Logs usage".
AWS_METRICS = {
    ("AWS/ApiGateway", frozenset({"ApiName", "Stage"})): {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
    ("AWS/Lambda", frozenset({"FunctionName"})): {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
    ("AWS/Lambda", frozenset({"FunctionName", "Resource"})): {
        "ProvisionedConcurrentExecutions",
        "ProvisionedConcurrencySpilloverInvocations",
    },
    ("AWS/SQS", frozenset({"QueueName"})): {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "NumberOfMessagesDeleted",
    },
    ("AWS/AutoScaling", frozenset({"AutoScalingGroupName"})): {"GroupDesiredCapacity", "GroupInServiceInstances"},
    ("AWS/Logs", frozenset({"LogGroupName"})): {"IncomingBytes"},
}


def test_aws_and_the_fleets_group_emit_the_requested_metrics():
    for namespace, name, dimensions in requested_metrics(WITH_ALL):
        if namespace != "Coinfarm":
            assert name in AWS_METRICS[namespace, frozenset(key for key, _ in dimensions)]
    group = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))["Resources"]["Group"]["Properties"]
    emitted = {name for collection in group["MetricsCollection"] for name in collection["Metrics"]}
    assert {name for namespace, name, _ in requested_metrics(WITH_ALL) if namespace == "AWS/AutoScaling"} <= emitted


def test_metrics_and_logs_belong_to_the_resources_in_the_parameters():
    known = {*PARAMETERS.values(), *FLEET.values(), *LIVE.values(), "v1", "coinfarm", "api-function:live"}
    assert {value for _, _, dimensions in requested_metrics(WITH_ALL) for _, value in dimensions} <= known
    sources = [widget["properties"]["query"].partition(" | ")[0] for widget in widgets_of(WITH_ALL) if widget["type"] == "log"]
    assert sources == [f"SOURCE '{PARAMETERS['LogGroupName']}'", f"SOURCE '{FLEET['FleetLogGroupName']}'"]


PER_HOUR = "Dollars per hour (estimate)"
IN_PERIOD = "Dollars in the period shown (estimate)"


def dollars(title, label, **parameters):
    """The metric math of one line of one widget."""
    (widget,) = (widget for widget in widgets_of(monitoring_stack(**parameters)) if widget["properties"].get("title") == title)
    (expression,) = (line["expression"] for line in widget_metrics(widget)[1] if line["label"] == label)
    return expression


@pytest.mark.parametrize(
    ("architecture", "usd_per_gb_s"), [("x86_64", prices.LAMBDA_USD_PER_GB_S), ("arm64", prices.LAMBDA_ARM_USD_PER_GB_S)]
)
@pytest.mark.parametrize(("label", "ids"), [("API's function", ("api_ms", "api_calls")), ("Batch function", ("batch_ms", "batch_calls"))])
def test_cost_of_a_function(architecture, usd_per_gb_s, label, ids):
    expression = dollars(PER_HOUR, label, Architecture=architecture, FunctionMemory="2048")
    usd = evaluate(expression, **dict(zip(ids, (3_600_000, 500), strict=True)))
    assert usd == pytest.approx(3600 * 2 * usd_per_gb_s + 500 * prices.LAMBDA_USD_PER_REQUEST)


def test_total_is_the_sum_of_the_parts():
    usage = {"api_ms": 7e6, "api_calls": 1e4, "batch_ms": 9e8, "batch_calls": 3e3, "requests": 1e4, "log_bytes": 3e9}
    parts = [evaluate(dollars(PER_HOUR, label), **usage) for label in ("API's function", "Batch function", "API Gateway", "Logs")]
    assert parts[2:] == pytest.approx([1e4 * prices.API_USD_PER_REQUEST, 3 * prices.LOGS_USD_PER_GB])
    assert evaluate(dollars(IN_PERIOD, "Total"), **usage) == pytest.approx(math.fsum(parts))
    assert evaluate(dollars(IN_PERIOD, "Total"), **usage | {"log_bytes": None}) == pytest.approx(math.fsum(parts[:3]))
    per_million = evaluate(dollars(IN_PERIOD, "Batch function, per million frames"), **usage, frames=4e6)
    assert per_million == pytest.approx(parts[1] / 4)


@pytest.mark.parametrize("spot_percentage", ["0", "75"])
def test_cost_of_the_fleet(spot_percentage):
    spot, parameters = int(spot_percentage) / 100, {"FleetSpotPercentage": spot_percentage}
    usd_per_h = prices.INSTANCE_USD_PER_H["g4dn.xlarge"] * (1 - spot + spot * prices.SPOT_PRICE_RATIO)
    per_hour = dollars("Dollars per hour of the fleet (estimate)", "Instances, priced as g4dn.xlarge", **parameters)
    assert evaluate(per_hour, instances=30) == pytest.approx(30 * usd_per_h)
    per_million = dollars("Dollars of the fleet in the period shown (estimate)", "Per million frames", **parameters)
    assert evaluate(per_million, instances=30, frames=3_000_000) == pytest.approx(30 * usd_per_h / 3)
