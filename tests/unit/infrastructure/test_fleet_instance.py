"""The user data of the fleet's instances: infrastructure/fleet.yaml is deployed to moto, and the script runs with stubs."""

import base64
import os
import re
import subprocess
from typing import NamedTuple

import boto3
import pytest
from moto import mock_aws

from handler.worker import _LAST_BATCH_S
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


class Deployed(NamedTuple):
    group: dict
    user_data: bytes
    outputs: dict


@pytest.fixture(scope="module")
def deployed():
    """The stack in moto, which has no public machine images and no scaling policies."""
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
        launch_template = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateId"]
        (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=launch_template)["LaunchTemplateVersions"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        return Deployed(group, base64.b64decode(version["LaunchTemplateData"]["UserData"]), outputs)


def test_new_fleet_has_no_instances(deployed):
    group = deployed.group
    assert (group["MinSize"], group["DesiredCapacity"], group["Instances"]) == (0, 0, [])
    assert group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 25


@pytest.fixture
def boot(deployed, tmp_path):
    """Runs the user data with stubs of its commands, and returns how they were called. Keyword arguments are exit codes of stubs."""
    script = tmp_path / "user-data"
    script.write_bytes(deployed.user_data)

    def boot(**exit_codes):
        for command in ("aws", "docker", "curl", "shutdown"):
            stub = tmp_path / command
            reads = "[ $1 != login ] || cat > /dev/null"  # otherwise the pipe may break before the password is written
            stub.write_text(
                f'#!/bin/bash\necho "{command} $*" >> {tmp_path}/calls\n{reads if command == "docker" else ""}\n'
                f"echo {command}-output\nexit {exit_codes.get(command, 0)}\n"
            )
            stub.chmod(0o755)
        subprocess.run(["bash", script], env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False, capture_output=True)
        return (tmp_path / "calls").read_text().splitlines()

    return boot


def test_instance_runs_one_worker_and_shuts_down_after_it(boot, deployed):
    *_, login, run, shutdown = [call for call in boot() if not call.startswith(("aws", "curl"))]
    assert login == f"docker login --username AWS --password-stdin {REGISTRY}"
    assert run.startswith("docker run --rm --gpus all --restart no ")
    assert run.endswith(f" {REGISTRY}/coinfarm:gpu")
    assert "--log-opt awslogs-stream=curl-output " in run
    assert shutdown == "shutdown -h now"
    variables = dict(variable.split("=", 1) for variable in re.findall(r"--env (\S+)", run))
    settings = WorkerSettings.from_environment(variables)
    assert (settings.queue_url, settings.auto_scaling_group) == (deployed.outputs["QueueUrl"], "fleet")
    assert (settings.idle_exit_s, settings.aws_ec2_metadata_disabled) == (300, False)
    assert variables["POWERTOOLS_METRICS_FUNCTION_NAME"] == deployed.outputs["GroupName"], "the dashboard uses this name"


@pytest.mark.parametrize("command", ["aws", "docker", "curl"])
def test_instance_that_cannot_start_its_worker_shuts_down(boot, command):
    calls = boot(**{command: 1})
    assert not any(call.startswith("docker run") for call in calls)
    assert calls[-1] == "shutdown -h now"


def test_docker_waits_for_the_worker_to_drain(deployed):
    (stop_timeout_s,) = re.findall(r"--stop-timeout (\d+)", deployed.user_data.decode())
    assert int(stop_timeout_s) > WorkerSettings(queue_url="https://example.com/queue").drain_s + _LAST_BATCH_S
