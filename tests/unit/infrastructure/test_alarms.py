"""The alarms and notifications of infrastructure/monitoring.yaml."""

import pytest
from cfnlint.decode import cfn_yaml

from handler.live_score_metrics import HOUR_MS
from tests.support.metric_math import evaluate, returned_expression
from tests.support.monitoring_stack import FLEET, LIVE, alarms_of, monitoring_stack
from tests.support.repository import ROOT

WITH_FLEET = monitoring_stack()
ALARMS = alarms_of(WITH_FLEET)


def test_alarms_notify_the_topic_and_ignore_missing_data():
    for alarm in ALARMS.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["Topic"]
        assert alarm["TreatMissingData"] == ("ignore" if alarm is ALARMS["WorseThanEvaluatedAlarm"] else "notBreaching")


def test_fleet_alarms_exist_only_with_a_fleet():
    added = ALARMS.keys() - alarms_of(monitoring_stack(**dict.fromkeys(FLEET, ""))).keys()
    assert added == {name for name in ALARMS if name.startswith("Fleet")} != set()


def test_live_alarms_exist_only_with_live_predictions():
    added = ALARMS.keys() - alarms_of(monitoring_stack(**dict.fromkeys(LIVE, ""))).keys()
    assert added == {"WorseThanEvaluatedAlarm", "LiveDeadLettersAlarm", "LiveModelRejectedAlarm"}
    alarm = ALARMS["WorseThanEvaluatedAlarm"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Maximum", "GreaterThanThreshold", 0)
    assert alarm["Period"] == HOUR_MS / 1000, "one value in each period"


@pytest.mark.parametrize(
    ("name", "metrics", "expected"),
    [
        pytest.param("ApiErrorsAlarm", {"requests": 1, "errors": 1}, False, id="a single failure"),
        pytest.param("ApiErrorsAlarm", {"requests": 3, "errors": 3}, True, id="few requests, and all fail"),
        pytest.param("ApiErrorsAlarm", {"requests": 10_000, "errors": 3}, False, id="three in ten thousand"),
        pytest.param("ApiErrorsAlarm", {"requests": 10_000, "errors": 150}, True, id="one and a half percent"),
        pytest.param("ApiLatencyAlarm", {"requests": 3, "latency_ms": 4000}, False, id="a cold start among few requests"),
        pytest.param("ApiLatencyAlarm", {"requests": 300, "latency_ms": 4000}, True, id="many slow requests"),
        pytest.param("ApiLatencyAlarm", {"requests": 300, "latency_ms": 40}, False, id="many fast requests"),
        pytest.param("FleetIdleAlarm", {"waiting": 0, "in_flight": 0, "instances": 2}, True, id="instances without work"),
        pytest.param("FleetIdleAlarm", {"waiting": None, "in_flight": None, "instances": 2}, True, id="instances, and no queue metrics"),
        pytest.param("FleetIdleAlarm", {"waiting": 0, "in_flight": 1, "instances": 1}, False, id="the last shard is in flight"),
        pytest.param("FleetIdleAlarm", {"waiting": None, "in_flight": None, "instances": None}, False, id="a group never used"),
    ],
)
def test_alarm_is_breaching(name, metrics, expected):
    alarm = ALARMS[name]
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (evaluate(returned_expression(alarm["Metrics"]), **metrics) > float(alarm["Threshold"])) == expected


def test_idle_alarm_waits_longer_than_instances_take_to_terminate():
    fleet = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))
    alarm = ALARMS["FleetIdleAlarm"]
    (period_s,) = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert alarm["EvaluationPeriods"] * period_s > 3 * fleet["Parameters"]["IdleExitSeconds"]["Default"]


def test_age_alarm_allows_one_retry_of_a_message():
    template = cfn_yaml.load(str(ROOT / "template.yaml"))
    assert float(ALARMS["QueueAgeAlarm"]["Threshold"]) > template["Resources"]["Queue"]["Properties"]["VisibilityTimeout"]


def test_parameters_set_the_thresholds():
    thresholds = {"ErrorPercent": 5, "MinErrors": 9, "LatencyMs": 300, "MinRequests": 7, "QueueAgeSeconds": 99}
    alarms = alarms_of(monitoring_stack(**thresholds))
    errors, latency = (returned_expression(alarms[name]["Metrics"]) for name in ("ApiErrorsAlarm", "ApiLatencyAlarm"))
    assert [evaluate(errors, errors=count, requests=10) for count in (8, 9)] == [0, 90]
    assert [evaluate(latency, latency_ms=500, requests=count) for count in (6, 7)] == [0, 500]
    names = ("ApiErrorsAlarm", "BatchErrorsAlarm", "ApiLatencyAlarm", "QueueAgeAlarm", "FleetQueueAgeAlarm")
    assert [alarms[name]["Threshold"] for name in names] == [5, 9, 300, 99, 99]


def test_topic_accepts_alarms_of_this_account_over_tls():
    allowed, denied = WITH_FLEET.resources["TopicPolicy"]["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], allowed["Principal"], allowed["Action"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert "KmsMasterKeyId" not in WITH_FLEET.resources["Topic"], "CloudWatch may not use alias/aws/sns"
