"""The alarms and notifications of infrastructure/monitoring.yaml."""

import pytest
from cfnlint.decode import cfn_yaml

from tests.support.metric_math import evaluate, returned_expression
from tests.support.monitoring_stack import FLEET, alarms_of, monitoring_stack
from tests.support.repository import ROOT

WITH_FLEET = monitoring_stack()
WITHOUT_FLEET = monitoring_stack(**dict.fromkeys(FLEET, ""))
ALARMS = alarms_of(WITH_FLEET)
FLEET_TEMPLATE = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))

each_alarm = pytest.mark.parametrize("name", ALARMS)


@each_alarm
def test_alarm_notifies_the_topic_and_ignores_missing_data(name):
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == ["Topic"]
    assert ALARMS[name]["TreatMissingData"] == "notBreaching"


def test_fleet_alarms_exist_only_with_a_fleet():
    added = ALARMS.keys() - alarms_of(WITHOUT_FLEET).keys()
    assert added == {name for name in ALARMS if name.startswith("Fleet")} != set()


def is_breaching(name, **metrics):
    """Whether the values of an alarm's metrics breach its threshold."""
    alarm = ALARMS[name]
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return evaluate(returned_expression(alarm["Metrics"]), **metrics) > float(alarm["Threshold"])


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        pytest.param(1, 1, False, id="a single failure"),
        pytest.param(3, 3, True, id="few requests, and all fail"),
        pytest.param(10_000, 3, False, id="three in ten thousand"),
        pytest.param(10_000, 150, True, id="one and a half percent"),
        pytest.param(500, 0, False, id="none"),
    ],
)
def test_error_alarm_needs_a_rate_and_a_number_of_failures(requests, errors, expected):
    assert is_breaching("ApiErrorsAlarm", requests=requests, errors=errors) == expected


@pytest.mark.parametrize(
    ("requests", "latency_ms", "expected"),
    [
        pytest.param(3, 4000, False, id="a cold start among few requests"),
        pytest.param(300, 4000, True, id="many slow requests"),
        pytest.param(300, 40, False, id="many fast requests"),
    ],
)
def test_latency_alarm_needs_a_number_of_requests(requests, latency_ms, expected):
    assert is_breaching("ApiLatencyAlarm", requests=requests, latency_ms=latency_ms) == expected


@pytest.mark.parametrize(
    ("waiting", "in_flight", "instances", "expected"),
    [
        pytest.param(0, 0, 2, True, id="instances without work"),
        pytest.param(None, None, 2, True, id="instances, and no metrics of the queue any more"),
        pytest.param(0, 1, 1, False, id="the last shard is in flight"),
        pytest.param(None, None, None, False, id="a group that was never used"),
    ],
)
def test_idle_alarm_needs_instances_without_messages(waiting, in_flight, instances, expected):
    assert is_breaching("FleetIdleAlarm", waiting=waiting, in_flight=in_flight, instances=instances) == expected


def test_idle_alarm_waits_longer_than_instances_take_to_terminate():
    idle_exit_s = FLEET_TEMPLATE["Parameters"]["IdleExitSeconds"]["Default"]
    alarm = ALARMS["FleetIdleAlarm"]
    (period_s,) = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert alarm["EvaluationPeriods"] * period_s > 3 * idle_exit_s


def test_age_alarm_allows_one_retry_of_a_message():
    template = cfn_yaml.load(str(ROOT / "template.yaml"))
    assert float(ALARMS["QueueAgeAlarm"]["Threshold"]) > template["Resources"]["Queue"]["Properties"]["VisibilityTimeout"]


def test_parameters_set_the_thresholds():
    thresholds = {"ErrorPercent": 5, "MinErrors": 9, "LatencyMs": 300, "MinRequests": 7, "QueueAgeSeconds": 99}
    alarms = alarms_of(monitoring_stack(**thresholds))
    errors = returned_expression(alarms["ApiErrorsAlarm"]["Metrics"])
    assert [evaluate(errors, errors=count, requests=10) for count in (8, 9)] == [0, 90]
    latency = returned_expression(alarms["ApiLatencyAlarm"]["Metrics"])
    assert [evaluate(latency, latency_ms=500, requests=count) for count in (6, 7)] == [0, 500]
    names = ("ApiErrorsAlarm", "BatchErrorsAlarm", "ApiLatencyAlarm", "QueueAgeAlarm", "FleetQueueAgeAlarm")
    assert [alarms[name]["Threshold"] for name in names] == [5, 9, 300, 99, 99]


def test_topic_accepts_alarms_of_this_account_over_tls():
    policy = WITH_FLEET.resources["TopicPolicy"]
    assert policy["Topics"] == ["Topic"]
    allowed, denied = policy["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], allowed["Principal"], allowed["Action"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_topic_uses_the_customer_key_or_none():
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    assert monitoring_stack(KmsKeyArn=key).resources["Topic"]["KmsMasterKeyId"] == key
    assert "KmsMasterKeyId" not in WITH_FLEET.resources["Topic"], "CloudWatch may not use alias/aws/sns"
