"""The GPU fleet that fleet.yaml describes, read as CloudFormation would, and deployed into moto's."""

import base64
import os
import re
import subprocess
from typing import NamedTuple

import boto3
import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml
from moto import mock_aws

from handler.worker import _LAST_BATCH_S
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT

TEMPLATE = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))
RESOURCES = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()}
LAUNCH = RESOURCES["LaunchTemplate"]["LaunchTemplateData"]
STATEMENTS = {statement["Sid"]: statement for statement in RESOURCES["Role"]["Policies"][0]["PolicyDocument"]["Statement"]}
WITH_OWN_KEY = {"Fn::If": ["UseCustomerKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
SETTINGS = WorkerSettings(queue_url="https://example.com/queue")


def test_cfn_lint_finds_nothing():
    assert lint_file(ROOT / "infrastructure/fleet.yaml") == []


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_each_entry_is_described(section):
    assert all(entry["Description"] for entry in TEMPLATE[section].values())


@pytest.mark.parametrize("queue", ["Queue", "DeadLetterQueue"])
def test_the_queues_are_encrypted_and_refuse_what_comes_without_tls(queue):
    assert RESOURCES[queue]["SqsManagedSseEnabled"] == {"Fn::If": ["UseCustomerKey", False, True]}
    assert RESOURCES[queue]["KmsMasterKeyId"] == WITH_OWN_KEY
    assert {"Ref": queue} in RESOURCES["QueuePolicy"]["Queues"]
    (statement,) = RESOURCES["QueuePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_a_key_of_ones_own_encrypts_the_logs_too_and_the_workers_may_use_it():
    assert RESOURCES["LogGroup"]["KmsKeyId"] == WITH_OWN_KEY
    assert TEMPLATE["Resources"]["KeyPolicy"]["Condition"] == "UseCustomerKey"
    (statement,) = RESOURCES["KeyPolicy"]["PolicyDocument"]["Statement"]
    assert (set(statement["Action"]), statement["Resource"]) == ({"kms:Decrypt", "kms:GenerateDataKey"}, {"Ref": "KmsKeyArn"})


def test_what_fails_five_times_is_a_dead_letter():
    policy = RESOURCES["Queue"]["RedrivePolicy"]
    assert (policy["deadLetterTargetArn"], policy["maxReceiveCount"]) == ({"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}, 5)


def test_a_message_stays_hidden_as_long_as_a_worker_asks():
    assert RESOURCES["Queue"]["VisibilityTimeout"] == SETTINGS.visibility_timeout_s


def test_nobody_reaches_a_machine_and_a_machine_reaches_tls_alone():
    group = RESOURCES["SecurityGroup"]
    assert "SecurityGroupIngress" not in group
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [("tcp", 443, 443)]
    assert [interface["AssociatePublicIpAddress"] for interface in LAUNCH["NetworkInterfaces"]] == [False]


def test_metadata_needs_a_token_and_reaches_into_the_container():
    assert LAUNCH["MetadataOptions"] == {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 2}


def test_the_disk_is_encrypted_and_goes_with_the_machine():
    assert all(device["Ebs"]["Encrypted"] and device["Ebs"]["DeleteOnTermination"] for device in LAUNCH["BlockDeviceMappings"])


def test_the_machine_image_comes_from_a_public_parameter():
    parameter = TEMPLATE["Parameters"]["MachineImage"]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    assert parameter["Default"].startswith("/aws/service/")
    assert LAUNCH["ImageId"] == {"Ref": "MachineImage"}


def test_the_group_begins_with_nothing_and_stops_at_thirty():
    assert (RESOURCES["Group"]["MinSize"], RESOURCES["Group"]["MaxSize"]) == ("0", {"Ref": "MaxInstances"})
    assert TEMPLATE["Parameters"]["MaxInstances"]["Default"] == 30


def test_the_machines_are_mixed():
    overrides = RESOURCES["Group"]["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert {override["InstanceType"].split(".")[0] for override in overrides} == {"g4dn", "g5", "g6"}


def test_spot_and_on_demand_make_a_hundred_percent():
    shares = TEMPLATE["Mappings"]["OnDemandPercentage"]["BySpotPercentage"]
    assert shares.keys() == set(TEMPLATE["Parameters"]["SpotPercentage"]["AllowedValues"])
    assert all(int(spot) + on_demand == 100 for spot, on_demand in shares.items())


def test_spot_machines_are_taken_where_there_are_many_and_replaced_ahead():
    assert RESOURCES["Group"]["MixedInstancesPolicy"]["InstancesDistribution"]["SpotAllocationStrategy"] == "capacity-optimized"
    assert RESOURCES["Group"]["CapacityRebalance"] is True


def test_what_the_group_takes_away_may_finish_first():
    (hook,) = RESOURCES["Group"]["LifecycleHookSpecificationList"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    drain_s = SETTINGS.notice_poll_s + SETTINGS.drain_s + _LAST_BATCH_S
    assert drain_s < 120, "a spot notice comes two minutes ahead"
    assert hook["HeartbeatTimeout"] >= drain_s


def value_of(expression, **metrics):
    """A metric math expression at one moment; None is a metric without data."""
    functions = {
        "FILL": lambda value, otherwise: otherwise if value is None else value,
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
    }
    return eval(expression, functions, metrics)


@pytest.mark.parametrize(
    ("shards", "instances", "backlog"),
    [
        pytest.param(2190, 0, 2190, id="no machine"),
        pytest.param(2190, None, 2190, id="no metric of the group yet"),
        pytest.param(2190, 1, 2190, id="one machine"),
        pytest.param(2190, 30, 73, id="thirty machines"),
        pytest.param(0, 30, 0, id="nothing left"),
        pytest.param(None, 0, 0, id="no metric of the queue"),
    ],
)
def test_the_backlog_of_a_machine_is_known_with_and_without_machines(shards, instances, backlog):
    metrics = RESOURCES["BacklogPolicy"]["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    (expression,) = (metric["Expression"] for metric in metrics if metric["ReturnData"])
    assert value_of(expression, shards=shards, instances=instances) == backlog


def test_two_years_of_three_coins_are_worth_the_whole_fleet():
    shards = 3 * 2 * 365
    assert -(-shards // TEMPLATE["Parameters"]["ShardsPerInstance"]["Default"]) == TEMPLATE["Parameters"]["MaxInstances"]["Default"]


@pytest.mark.parametrize(
    ("shards", "desired", "rings"),
    [
        pytest.param(1, 0, True, id="a shard and no machine"),
        pytest.param(1, None, True, id="no metric of the group yet"),
        pytest.param(1, 1, False, id="a machine on its way"),
        pytest.param(0, 0, False, id="nothing to do"),
        pytest.param(None, None, False, id="no metrics"),
    ],
)
def test_an_alarm_starts_the_first_machine(shards, desired, rings):
    alarm = RESOURCES["FirstMachineAlarm"]
    (expression,) = (metric["Expression"] for metric in alarm["Metrics"] if metric["ReturnData"])
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (value_of(expression, shards=shards, desired=desired) > alarm["Threshold"]) == rings
    assert alarm["AlarmActions"] == [{"Ref": "FirstMachinePolicy"}]
    (step,) = RESOURCES["FirstMachinePolicy"]["StepAdjustments"]
    assert step == {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}


def test_the_group_measures_what_the_scaling_asks_for():
    metrics = [
        *RESOURCES["BacklogPolicy"]["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"],
        *RESOURCES["FirstMachineAlarm"]["Metrics"],
    ]
    asked = [metric["MetricStat"]["Metric"] for metric in metrics if "MetricStat" in metric]
    of_the_group = {metric["MetricName"] for metric in asked if metric["Namespace"] == "AWS/AutoScaling"}
    assert of_the_group == set(RESOURCES["Group"]["MetricsCollection"][0]["Metrics"])


ALLOWED = {
    "ConsumeQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"},
    "ListBuckets": {"s3:ListBucket"},
    "ReadModelsAndCandles": {"s3:GetObject"},
    "WriteResults": {"s3:GetObject", "s3:PutObject"},
    "LogInToEcr": {"ecr:GetAuthorizationToken"},
    "PullImage": {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
    "WriteLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "ProtectAndTerminateInstances": {"autoscaling:SetInstanceProtection", "autoscaling:TerminateInstanceInAutoScalingGroup"},
}


def test_a_machine_may_do_what_a_worker_does_and_no_more():
    assert "ManagedPolicyArns" not in RESOURCES["Role"]
    found = {sid: set(actions if isinstance(actions := statement["Action"], list) else [actions]) for sid, statement in STATEMENTS.items()}
    assert found == ALLOWED
    assert [sid for sid, statement in STATEMENTS.items() if statement["Resource"] == "*"] == ["LogInToEcr"]


class Deployed(NamedTuple):
    group: dict
    launch: dict
    outputs: dict


@pytest.fixture(scope="module")
def deployed():
    """The stack in moto, which knows neither AWS's machine images nor scaling policies."""
    template = re.sub(r"Default: /aws/service/\S+", "Default: /machine-image", (ROOT / "infrastructure/fleet.yaml").read_text())
    with mock_aws():
        boto3.client("ssm").put_parameter(Name="/machine-image", Value="ami-12c6146b", Type="String")
        ec2 = boto3.client("ec2")
        parameters = {
            "ImageRepository": "coinfarm",
            "Vpc": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
            "Subnets": ",".join(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]),
            "ModelBucket": "models",
            "CandleBucket": "candles",
            "ResultBucket": "results",
            "SpotPercentage": "75",
        }
        stacks = boto3.client("cloudformation")
        with pytest.warns(UserWarning, match="not supported by moto"):
            stacks.create_stack(
                StackName="fleet",
                TemplateBody=template,
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            )
        (stack,) = stacks.describe_stacks(StackName="fleet")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        (group,) = boto3.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        launched = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateId"]
        (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=launched)["LaunchTemplateVersions"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        return Deployed(group, version["LaunchTemplateData"], outputs)


def test_a_new_fleet_costs_nothing(deployed):
    group = deployed.group
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"], group["Instances"]) == (0, 30, 0, [])
    assert group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 25


@pytest.fixture
def boot(deployed, tmp_path):
    """Run the user data as a machine would, with `aws`, `docker` and the like that only write down how they were called."""
    script = tmp_path / "user-data"
    script.write_bytes(base64.b64decode(deployed.launch["UserData"]))

    def boot(**exit_codes):
        for command in ("aws", "docker", "curl", "shutdown"):
            stub = tmp_path / command
            reads = "[ $1 != login ] || cat > /dev/null"  # or who pipes the password into it is killed by a broken pipe, at times
            stub.write_text(
                f'#!/bin/bash\necho "{command} $*" >> {tmp_path}/calls\n{reads if command == "docker" else ""}\n'
                f"echo {command}-said\nexit {exit_codes.get(command, 0)}\n"
            )
            stub.chmod(0o755)
        subprocess.run(["bash", script], env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False, capture_output=True)
        return (tmp_path / "calls").read_text().splitlines()

    return boot


def test_a_machine_starts_one_worker_and_ends_with_it(boot, deployed):
    *_, login, started, ended = [call for call in boot() if not call.startswith(("aws", "curl"))]
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert login == f"docker login --username AWS --password-stdin {registry}"
    assert started.startswith("docker run --rm --gpus all --restart no ")
    assert started.endswith(f" {registry}/coinfarm:gpu")
    assert "--log-opt awslogs-stream=curl-said " in started
    assert ended == "shutdown -h now"
    variables = dict(variable.split("=", 1) for variable in re.findall(r"--env (\S+)", started))
    settings = WorkerSettings.from_environment(variables)
    assert (settings.queue_url, settings.auto_scaling_group) == (deployed.outputs["QueueUrl"], "fleet")
    assert (settings.idle_exit_s, settings.aws_ec2_metadata_disabled) == (300, False)
    assert variables["POWERTOOLS_METRICS_FUNCTION_NAME"] == deployed.outputs["GroupName"], "the dashboard knows it by that name"
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Coinfarm"


@pytest.mark.parametrize("command", ["aws", "docker", "curl"])
def test_a_machine_that_cannot_start_its_worker_ends(boot, command):
    calls = boot(**{command: 1})
    assert not any(call.startswith("docker run") for call in calls)
    assert calls[-1] == "shutdown -h now"


def test_docker_waits_for_the_worker_to_drain(deployed):
    script = base64.b64decode(deployed.launch["UserData"]).decode()
    (stop_timeout,) = re.findall(r"--stop-timeout (\d+)", script)
    assert int(stop_timeout) > SETTINGS.drain_s + _LAST_BATCH_S
