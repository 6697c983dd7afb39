"""The user data of the fleet's instances in infrastructure/fleet.yaml: the script runs with stubs."""

import os
import re
import subprocess

import pytest

from handler.worker import _LAST_BATCH_S
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT
from tests.support.resolved_template import ResolvedTemplate

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
NAMES = {"ImageRepository": "coinfarm", "ModelBucket": "models", "CandleBucket": "candles", "ResultBucket": "results"}
FLEET = ResolvedTemplate(ROOT / "infrastructure/fleet.yaml", Vpc="vpc-1", Subnets="subnet-1", SpotPercentage="75", **NAMES)
USER_DATA = FLEET.resources["LaunchTemplate"]["LaunchTemplateData"]["UserData"]


def test_new_fleet_has_no_instances_and_the_requested_share_of_spot():
    group = FLEET.resources["Group"]
    assert group["MinSize"] == "0"
    assert "DesiredCapacity" not in group, "each update would reset it"
    assert group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 25


@pytest.fixture
def boot(tmp_path):
    """Runs the user data with stubs of its commands, and returns how they were called. Keyword arguments are exit codes of stubs."""
    script = tmp_path / "user-data"
    script.write_text(USER_DATA)

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


def test_instance_runs_one_worker_and_shuts_down_after_it(boot):
    *_, login, run, shutdown = [call for call in boot() if not call.startswith(("aws", "curl"))]
    assert login == f"docker login --username AWS --password-stdin {REGISTRY}"
    assert run.startswith("docker run --rm --gpus all --restart no ")
    assert run.endswith(f" {REGISTRY}/coinfarm:gpu")
    assert "--log-opt awslogs-stream=curl-output " in run
    assert shutdown == "shutdown -h now"
    variables = dict(variable.split("=", 1) for variable in re.findall(r"--env (\S+)", run))
    settings = WorkerSettings.from_environment(variables)
    assert (settings.queue_url, settings.auto_scaling_group) == (FLEET.outputs["QueueUrl"], "stack")
    assert (settings.idle_exit_s, settings.aws_ec2_metadata_disabled) == (300, False)
    group_name = FLEET.resources["Group"]["AutoScalingGroupName"]
    assert variables["POWERTOOLS_METRICS_FUNCTION_NAME"] == variables["AUTO_SCALING_GROUP"] == group_name, "the dashboard uses this name"


@pytest.mark.parametrize("command", ["aws", "docker", "curl"])
def test_instance_that_cannot_start_its_worker_shuts_down(boot, command):
    calls = boot(**{command: 1})
    assert not any(call.startswith("docker run") for call in calls)
    assert calls[-1] == "shutdown -h now"


def test_docker_waits_for_the_worker_to_drain():
    (stop_timeout_s,) = re.findall(r"--stop-timeout (\d+)", USER_DATA)
    assert int(stop_timeout_s) > WorkerSettings(queue_url="https://example.com/queue").drain_s + _LAST_BATCH_S
