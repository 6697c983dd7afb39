"""The GPU fleet of infrastructure/fleet.yaml: queue, network, draining and scaling."""

import pytest
from cfnlint.decode import cfn_yaml

from handler.worker import _LAST_BATCH_S
from handler.worker_settings import WorkerSettings
from tests.support.metric_math import evaluate, returned_expression
from tests.support.repository import ROOT

TEMPLATE = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))
RESOURCES = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()}
CUSTOMER_KEY = {"Fn::If": ["UseCustomerKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
SETTINGS = WorkerSettings(queue_url="https://example.com/queue")
BACKLOG_METRICS = RESOURCES["BacklogPolicy"]["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
FIRST_ALARM = RESOURCES["FirstInstanceAlarm"]


def test_queues_and_logs_are_encrypted_and_deny_requests_without_tls():
    for queue in ("Queue", "DeadLetterQueue"):
        assert RESOURCES[queue]["SqsManagedSseEnabled"] == {"Fn::If": ["UseCustomerKey", False, True]}
        assert RESOURCES[queue]["KmsMasterKeyId"] == CUSTOMER_KEY
        assert {"Ref": queue} in RESOURCES["QueuePolicy"]["Queues"]
    assert RESOURCES["LogGroup"]["KmsKeyId"] == CUSTOMER_KEY
    (statement,) = RESOURCES["QueuePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_queue_retains_failed_messages_and_hides_messages_for_as_long_as_the_workers_expect():
    queue, dead = RESOURCES["Queue"], RESOURCES["DeadLetterQueue"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert dead["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]
    assert queue["VisibilityTimeout"] == SETTINGS.visibility_timeout_s


def test_instance_accepts_no_connections_and_opens_only_tls():
    group, launch = RESOURCES["SecurityGroup"], RESOURCES["LaunchTemplate"]["LaunchTemplateData"]
    assert "SecurityGroupIngress" not in group
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]} == {("tcp", 443, 443)}
    assert not any(interface["AssociatePublicIpAddress"] for interface in launch["NetworkInterfaces"])
    assert launch["MetadataOptions"]["HttpTokens"] == "required"
    assert launch["MetadataOptions"]["HttpPutResponseHopLimit"] >= 2, "the worker's container is one hop away"
    assert all(device["Ebs"]["Encrypted"] for device in launch["BlockDeviceMappings"])


def test_spot_and_on_demand_percentages_add_up():
    on_demand = TEMPLATE["Mappings"]["OnDemandPercentage"]["BySpotPercentage"]
    assert on_demand.keys() == set(TEMPLATE["Parameters"]["SpotPercentage"]["AllowedValues"])
    assert all(int(spot) + percentage == 100 for spot, percentage in on_demand.items())


def test_terminating_instance_has_time_to_drain():
    (hook,) = RESOURCES["Group"]["LifecycleHookSpecificationList"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    drain_s = SETTINGS.notice_poll_s + SETTINGS.drain_s + _LAST_BATCH_S
    assert drain_s < 120, "a spot interruption notice comes two minutes ahead"
    assert hook["HeartbeatTimeout"] >= drain_s


@pytest.mark.parametrize(
    ("shards", "instances", "backlog"), [(2190, 0, 2190), (2190, None, 2190), (2190, 1, 2190), (2190, 30, 73), (0, 30, 0), (None, 0, 0)]
)
def test_backlog_per_instance(shards, instances, backlog):
    assert evaluate(returned_expression(BACKLOG_METRICS), shards=shards, instances=instances) == backlog


@pytest.mark.parametrize(
    ("shards", "desired", "expected"),
    [
        pytest.param(1, 0, True, id="a shard and no instance"),
        pytest.param(1, None, True, id="no metric of the group yet"),
        pytest.param(1, 1, False, id="an instance is starting"),
        pytest.param(0, 0, False, id="no shards"),
        pytest.param(None, None, False, id="no metrics"),
    ],
)
def test_alarm_starts_the_first_instance(shards, desired, expected):
    assert FIRST_ALARM["ComparisonOperator"] == "GreaterThanThreshold"
    assert (evaluate(returned_expression(FIRST_ALARM["Metrics"]), shards=shards, desired=desired) > FIRST_ALARM["Threshold"]) == expected
    assert FIRST_ALARM["AlarmActions"] == [{"Ref": "FirstInstancePolicy"}]
    (step,) = RESOURCES["FirstInstancePolicy"]["StepAdjustments"]
    assert step["ScalingAdjustment"] == 1


def test_group_emits_the_metrics_that_scaling_uses():
    used = [query["MetricStat"]["Metric"] for query in (*BACKLOG_METRICS, *FIRST_ALARM["Metrics"]) if "MetricStat" in query]
    of_group = {metric["MetricName"] for metric in used if metric["Namespace"] == "AWS/AutoScaling"}
    assert of_group == set(RESOURCES["Group"]["MetricsCollection"][0]["Metrics"])
