"""The dashboard and the alarms that monitoring.yaml describes, read as CloudWatch would.

What they ask of our code is held against what it counts in tests/unit/handler/test_telemetry.py.
"""

import math
import re
from itertools import combinations

import boto3
import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml
from moto import mock_aws

from coinfarm.backfill import prices
from tests.support.monitoring_stack import FLEET, PARAMETERS, TEMPLATE, asked_for, metrics_of, monitoring, widgets
from tests.support.repository import ROOT

DECLARED = cfn_yaml.load(str(TEMPLATE))
WITH_FLEET = monitoring()
WITHOUT_FLEET = monitoring(**dict.fromkeys(FLEET, ""))
ALARMS = WITH_FLEET.of_type("AWS::CloudWatch::Alarm")
FLEET_ALARMS = {"FleetQueueAgeAlarm", "FleetDeadLettersAlarm", "FleetModelRefusedAlarm", "FleetIdleAlarm"}

either = pytest.mark.parametrize("stack", [WITH_FLEET, WITHOUT_FLEET], ids=["with a fleet", "without"])


def test_cfn_lint_finds_nothing():
    assert lint_file(TEMPLATE) == []


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_each_entry_is_described(section):
    assert all(entry["Description"] for entry in DECLARED[section].values())


# --- Alarms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_where_to_read_what_to_do(name):
    text = ALARMS[name]["AlarmDescription"]
    assert text.startswith(f"{PARAMETERS['DashboardName']}: ")
    assert text.endswith(f". docs/operations.md, {name}.")
    assert len(text) <= 1024, "CloudWatch takes no more"


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_topic_when_it_rings_and_when_all_is_well_again(name):
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == ["Topic"]


@pytest.mark.parametrize("name", ALARMS)
def test_silence_rings_no_alarm(name):
    assert ALARMS[name]["TreatMissingData"] == "notBreaching"


def test_without_a_fleet_there_are_no_alarms_of_one():
    assert ALARMS.keys() - WITHOUT_FLEET.of_type("AWS::CloudWatch::Alarm").keys() == FLEET_ALARMS


def value_of(expression, **metrics):
    """A metric math expression at one moment; None is a metric without data."""
    functions = {
        "FILL": lambda value, otherwise: otherwise if value is None else value,
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "PERIOD": lambda _: 3600,
    }
    return eval(expression, functions, metrics)


COMPARISONS = {
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
}


def rings(name, **metrics):
    """Whether an alarm whose metrics are taken together rings at these values."""
    alarm = ALARMS[name]
    (expression,) = (query["Expression"] for query in alarm["Metrics"] if query["ReturnData"])
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return value_of(expression, **metrics) > float(alarm["Threshold"])


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        pytest.param(1, 1, False, id="a single one at night"),
        pytest.param(3, 3, True, id="few requests, and all fail"),
        pytest.param(10_000, 3, False, id="three in ten thousand"),
        pytest.param(10_000, 150, True, id="one and a half percent"),
        pytest.param(500, 0, False, id="none"),
    ],
)
def test_failed_requests_ring_where_they_are_many_and_a_good_part(requests, errors, expected):
    assert rings("ApiErrorsAlarm", requests=requests, errors=errors) == expected


@pytest.mark.parametrize(
    ("requests", "latency_ms", "expected"),
    [
        pytest.param(3, 4000, False, id="a cold start among a few"),
        pytest.param(300, 4000, True, id="many are slow"),
        pytest.param(300, 40, False, id="many are fast"),
    ],
)
def test_latency_rings_where_there_are_requests_to_judge_it_by(requests, latency_ms, expected):
    assert rings("ApiLatencyAlarm", requests=requests, latency_ms=latency_ms) == expected


@pytest.mark.parametrize(
    ("waiting", "in_flight", "instances", "expected"),
    [
        pytest.param(0, 0, 2, True, id="machines and no work"),
        pytest.param(None, None, 2, True, id="machines and a queue that SQS no longer measures"),
        pytest.param(0, 1, 1, False, id="the last shard is in work"),
        pytest.param(9, 0, 1, False, id="shards wait"),
        pytest.param(0, 0, 0, False, id="nothing at all"),
        pytest.param(None, None, None, False, id="a group that was never used"),
    ],
)
def test_machines_without_work_ring(waiting, in_flight, instances, expected):
    assert rings("FleetIdleAlarm", waiting=waiting, in_flight=in_flight, instances=instances) == expected


def test_idle_machines_get_longer_than_they_take_to_end_themselves():
    idle_exit_s = cfn_yaml.load(str(TEMPLATE.with_name("fleet.yaml")))["Parameters"]["IdleExitSeconds"]["Default"]
    alarm = ALARMS["FleetIdleAlarm"]
    (period_s,) = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert alarm["EvaluationPeriods"] * period_s > 3 * idle_exit_s


def test_a_message_that_failed_once_is_not_yet_old():
    """It comes again when the queue shows it again, which is later than one would think."""
    template = cfn_yaml.load(str(ROOT / "template.yaml"))
    assert float(ALARMS["QueueAgeAlarm"]["Threshold"]) > template["Resources"]["Queue"]["Properties"]["VisibilityTimeout"]


def test_taste_is_a_parameter():
    of_ones_own = {"ErrorPercent": 5, "MinErrors": 9, "LatencyMs": 300, "MinRequests": 7, "QueueAgeSeconds": 99}
    alarms = monitoring(**of_ones_own).of_type("AWS::CloudWatch::Alarm")
    assert alarms["ApiErrorsAlarm"]["Threshold"] == 5
    assert "IF(errors >= 9," in alarms["ApiErrorsAlarm"]["Metrics"][0]["Expression"]
    assert alarms["BatchErrorsAlarm"]["Threshold"] == 9
    assert alarms["ApiLatencyAlarm"]["Threshold"] == 300
    assert "IF(requests >= 7," in alarms["ApiLatencyAlarm"]["Metrics"][0]["Expression"]
    assert alarms["QueueAgeAlarm"]["Threshold"] == alarms["FleetQueueAgeAlarm"]["Threshold"] == 99


# --- Who is told ------------------------------------------------------------------------------------------------------


def test_the_topic_takes_alarms_of_this_account_and_nothing_without_tls():
    policy = WITH_FLEET.resources["TopicPolicy"]
    assert policy["Topics"] == ["Topic"]
    allowed, denied = policy["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], allowed["Principal"], allowed["Action"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "sns:Publish")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_key_of_ones_own_encrypts_the_topic_and_sns_s_key_never_does():
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    assert monitoring(KmsKeyArn=key).resources["Topic"]["KmsMasterKeyId"] == key
    assert "KmsMasterKeyId" not in WITH_FLEET.resources["Topic"], "CloudWatch may not use alias/aws/sns"


def test_mail_is_sent_where_an_address_is_told():
    assert monitoring(AlarmEmail="me@example.com").resources["Mail"] == {
        "TopicArn": "Topic",
        "Protocol": "email",
        "Endpoint": "me@example.com",
    }
    assert "Mail" not in WITH_FLEET.resources


# --- Dashboard --------------------------------------------------------------------------------------------------------


@either
def test_every_widget_says_what_it_shows_and_from_where(stack):
    for widget in widgets(stack):
        properties = widget["properties"]
        assert properties.get("title") or properties.get("markdown")
        if widget["type"] in ("metric", "log"):
            assert properties["region"] == "eu-west-1"


@either
def test_widgets_lie_beside_each_other_without_holes(stack):
    squares = [
        {(x, y) for x in range(widget["x"], widget["x"] + widget["width"]) for y in range(widget["y"], widget["y"] + widget["height"])}
        for widget in widgets(stack)
    ]
    assert all(not one & other for one, other in combinations(squares, 2))
    covered = set().union(*squares)
    assert {x for x, _ in covered} == set(range(24)), "CloudWatch's grid has 24 columns"
    assert len(covered) == 24 * (1 + max(y for _, y in covered))


@either
def test_the_dashboard_shows_every_alarm(stack):
    shown = {arn.rpartition(":")[2] for widget in widgets(stack) if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]}
    assert shown == stack.of_type("AWS::CloudWatch::Alarm").keys()


def names_in(expression):
    """What a metric math expression refers to."""
    if expression.startswith("SEARCH("):
        return set()
    return set(re.findall(r"\b[a-z]\w*", expression))


@either
def test_expressions_refer_to_metrics_of_their_widget_and_hidden_metrics_are_of_use(stack):
    for widget in widgets(stack):
        metrics, expressions = metrics_of(widget)
        ids = [options["id"] for _, options in metrics if "id" in options]
        assert len(ids) == len(set(ids))
        used = set().union(*(names_in(expression["expression"]) for expression in expressions)) if expressions else set()
        assert used <= set(ids), widget["properties"]["title"]
        assert {options["id"] for _, options in metrics if options.get("visible") is False} <= used, widget["properties"]["title"]


def test_the_model_that_serves_is_named():
    assert widgets(monitoring(ModelName="btc"))[0]["properties"]["markdown"].startswith("# farm\nModel btc. ")
    assert widgets(WITH_FLEET)[0]["properties"]["markdown"].startswith("# farm\nThe reference model")


@pytest.mark.parametrize("place", ["api-function", "batch-function", "fleet"])
def test_a_search_finds_the_versions_of_the_model_and_names_its_lines_by_them(place):
    found = [expression for widget in widgets(WITH_FLEET) for expression in metrics_of(widget)[1] if "SEARCH" in expression["expression"]]
    (search,) = [expression for expression in found if f'function_name="{place}"' in expression["expression"]]
    query = "{Coinfarm,function_name,service,model_version} " + f'MetricName="ModelFrames" function_name="{place}"'
    assert search["expression"] == f"SEARCH('{query}', 'Sum', 300)"
    assert search["label"] == "${PROP('Dim.model_version')}"


def test_the_logs_of_functions_and_workers_are_searched():
    sources = [widget["properties"]["query"].partition(" | ")[0] for widget in widgets(WITH_FLEET) if widget["type"] == "log"]
    assert sources == ["SOURCE 'logs'", "SOURCE 'fleet-logs'"]


# As the services' own pages of metrics list them: docs.aws.amazon.com, "Amazon API Gateway dimensions and metrics", "Types of metrics for
# Lambda functions", "Available CloudWatch metrics for Amazon SQS", "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling", "Monitoring
# CloudWatch Logs usage with CloudWatch metrics".
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


def test_what_is_asked_of_aws_is_what_aws_measures():
    for namespace, name, dimensions in asked_for(WITH_FLEET):
        if namespace != "Coinfarm":
            assert name in AWS_METRICS[namespace, frozenset(key for key, _ in dimensions)]


def test_what_is_asked_of_the_group_is_what_fleet_yaml_lets_it_measure():
    group = cfn_yaml.load(str(TEMPLATE.with_name("fleet.yaml")))["Resources"]["Group"]["Properties"]
    measured = {name for collection in group["MetricsCollection"] for name in collection["Metrics"]}
    assert {name for namespace, name, _ in asked_for(WITH_FLEET) if namespace == "AWS/AutoScaling"} <= measured


def test_the_resources_asked_about_are_those_that_the_stack_is_told_of():
    told = {*PARAMETERS.values(), *FLEET.values(), "v1", "coinfarm", "api-function:live"}
    assert {value for _, _, dimensions in asked_for(WITH_FLEET) for _, value in dimensions} <= told


# --- Dollars ----------------------------------------------------------------------------------------------------------


def dollars(title, label, **parameters):
    """The expression of one line of one widget, as metric math."""
    (widget,) = (widget for widget in widgets(monitoring(**parameters)) if widget["properties"].get("title") == title)
    (expression,) = (line["expression"] for line in metrics_of(widget)[1] if line["label"] == label)
    return expression


@pytest.mark.parametrize(
    ("architecture", "usd_per_gb_s"), [("x86_64", prices.LAMBDA_USD_PER_GB_S), ("arm64", prices.LAMBDA_ARM_USD_PER_GB_S)]
)
@pytest.mark.parametrize(("label", "ids"), [("API's function", ("api_ms", "api_calls")), ("Batch function", ("batch_ms", "batch_calls"))])
def test_a_function_costs_its_time_its_memory_and_its_calls(architecture, usd_per_gb_s, label, ids):
    expression = dollars("Dollars per hour (estimate)", label, Architecture=architecture, FunctionMemory="2048")
    found = value_of(expression, **dict(zip(ids, (3_600_000, 500))))
    assert found == pytest.approx(3600 * 2 * usd_per_gb_s + 500 * prices.LAMBDA_USD_PER_REQUEST)


def test_the_api_and_the_logs_cost_what_goes_through_them():
    title = "Dollars per hour (estimate)"
    assert value_of(dollars(title, "API Gateway"), requests=2_000_000) == pytest.approx(2_000_000 * prices.API_USD_PER_REQUEST)
    assert value_of(dollars(title, "Logs"), log_bytes=3e9) == pytest.approx(3 * prices.LOGS_USD_PER_GB)


def test_what_is_shown_as_all_is_the_sum_of_the_parts():
    usage = {"api_ms": 7e6, "api_calls": 1e4, "batch_ms": 9e8, "batch_calls": 3e3, "requests": 1e4, "log_bytes": None}
    parts = [
        value_of(dollars("Dollars per hour (estimate)", label), **usage)
        for label in ("API's function", "Batch function", "API Gateway", "Logs")
    ]
    everything = value_of(dollars("Dollars in the period shown (estimate)", "Total"), **usage)
    assert everything == pytest.approx(math.fsum(parts))
    million = value_of(dollars("Dollars in the period shown (estimate)", "Batch function, per million frames"), **usage, frames=4e6)
    assert million == pytest.approx(parts[1] / 4)


@pytest.mark.parametrize("spot_percentage", ["0", "75", "100"])
def test_the_fleet_costs_its_machines_hours(spot_percentage):
    share = int(spot_percentage) / 100
    usd_per_h = prices.INSTANCE_USD_PER_H["g4dn.xlarge"] * (1 - share + share * prices.SPOT_SHARE_OF_LIST)
    options = {"FleetSpotPercentage": spot_percentage}
    an_hour = dollars("Dollars per hour of the fleet (estimate)", "Instances, priced as g4dn.xlarge", **options)
    assert value_of(an_hour, instances=30) == pytest.approx(30 * usd_per_h)
    a_million = dollars("Dollars of the fleet in the period shown (estimate)", "Per million frames", **options)
    assert value_of(a_million, instances=30, frames=3_000_000) == pytest.approx(30 * usd_per_h / 3)


def test_the_prices_are_those_of_a_quote():
    told = {name: float(value) for name, value in DECLARED["Mappings"]["Usd"]["Each"].items()}
    assert told == {
        "GbSecond": prices.LAMBDA_USD_PER_GB_S,
        "GbSecondOnArm": prices.LAMBDA_ARM_USD_PER_GB_S,
        "FunctionRequest": pytest.approx(prices.LAMBDA_USD_PER_REQUEST),
        "ApiRequest": pytest.approx(prices.API_USD_PER_REQUEST),
        "LogGb": prices.LOGS_USD_PER_GB,
        "InstanceHour": prices.INSTANCE_USD_PER_H["g4dn.xlarge"],
        "SpotShare": prices.SPOT_SHARE_OF_LIST,
    }


# --- With CloudWatch's stand-in, and with the other templates ---------------------------------------------------------


@either
def test_cloudwatch_takes_every_alarm_and_the_dashboard(stack):
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch")
        for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
            cloudwatch.put_metric_alarm(AlarmName=name, **alarm | {"Threshold": float(alarm["Threshold"])})
        cloudwatch.put_dashboard(**stack.resources["Dashboard"])
        assert {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]} == stack.of_type(
            "AWS::CloudWatch::Alarm"
        ).keys()
        assert [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]] == ["farm"]


def test_a_fleet_tells_the_names_that_are_watched():
    outputs = cfn_yaml.load(str(TEMPLATE.with_name("fleet.yaml")))["Outputs"]
    assert {name.removeprefix("Fleet") for name in FLEET} <= outputs.keys()


def test_the_stack_tells_where_to_look_and_who_is_told():
    assert WITH_FLEET.outputs == {
        "TopicArn": "Topic",
        "DashboardUrl": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/Dashboard",
    }
