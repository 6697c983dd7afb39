"""The worker as a process, with moto's server and a metadata service. Faults are tested in test_faults.py."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from uuid import uuid4

import boto3
import pytest

from coinfarm.aws.sqs import Depth
from coinfarm.storage import open_storage
from tests.support.backfill_environment import Worker, eventually
from tests.support.demo_requests import demo_request
from tests.support.fake_models import promote_model
from tests.support.moto_server import moto_server, queue_with_dead_letters
from tests.support.repository import ROOT


@pytest.fixture(scope="module")
def endpoint():
    """The URL of moto's server; this process's own clients use it too."""
    with moto_server("AWS_ENDPOINT_URL") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # loading them takes seconds
        yield url


@pytest.fixture
def queue(endpoint):
    return queue_with_dead_letters(max_receives=5)


@pytest.fixture
def worker(queue, tmp_path):
    """`with worker(ENGINE_S=1)`: a worker on the queue, which is killed at the end."""
    promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "1.5")

    @contextmanager
    def start(**settings):
        log = tmp_path / f"{uuid4()}.log"
        environment = os.environ | {
            "QUEUE_URL": queue.url,
            "MODEL_URI": str(tmp_path / "models"),
            "MODEL_CACHE_DIR": str(tmp_path / "cache"),
            "CANDLES_ROOT": str(tmp_path / "candles"),
            "RESULTS_ROOT": str(tmp_path / "results"),
            "HEALTH_FILE": str(tmp_path / "health"),
            "RECEIVE_WAIT_S": "1",
            **{name: str(value) for name, value in settings.items()},
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.worker_process"],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Worker(process, log)
        finally:
            process.kill()
            process.wait()
            sys.stdout.write(log.read_text())

    return start


@pytest.fixture
def results(tmp_path):
    """Returns a function that returns the results so far, by name."""
    return lambda: {path.stem: json.loads(path.read_text()) for path in (tmp_path / "results").glob("*.json")}


def message(name, frames, seed=1):
    """A request whose results are written to NAME.json."""
    return json.dumps({**demo_request(199 + frames, seed), "resultsUri": f"{name}.json"})


def test_worker_processes_the_queue_and_exits_when_idle(queue, worker, results):
    """The queue contains a duplicate and an invalid message."""
    names = [f"shard{number}" for number in range(11)]
    queue.send([message("twice", 5), "invalid", *(message(name, 3, seed) for seed, name in enumerate(names)), message("twice", 5)])
    with worker(IDLE_EXIT_S=1) as running:
        assert running.exit_code() == 0
    assert results().keys() == {"twice", *names}
    assert [len(results()[name]["results"]) for name in ("twice", "shard0")] == [5, 3]
    assert queue.depth().total == 0
    assert [message.body for message in queue.dead_letters().receive()] == ["invalid"]
    metrics = [line for line in running.entries() if "_aws" in line]
    assert sum(sum(line.get("MessagesProcessed", [])) for line in metrics) == 13
    assert sum(sum(line.get("Frames", [])) for line in metrics) >= 33 + 5


def test_sigterm_returns_unfinished_messages(queue, worker, results):
    queue.send([message("short", 2, seed=1), message("long", 900, seed=2)])
    with worker(ENGINE_S=0.1, MAX_BATCH=1, WORKER_THREADS=1, DRAIN_S=0.5, VISIBILITY_TIMEOUT_S=600) as running:
        eventually(lambda: "short" in results())
        running.process.terminate()
        assert running.exit_code() == 0
    assert results().keys() == {"short"}
    (returned,) = queue.receive()
    assert json.loads(returned.body)["resultsUri"] == "long.json"
    assert returned.receive_count == 2
    assert queue.depth() == Depth(visible=0, in_flight=1, delayed=0), "the short message is deleted"


def test_sigint_finishes_messages_in_flight(queue, worker, results):
    queue.send([message("one", 20)])
    with worker(ENGINE_S=0.05, MAX_BATCH=1, WORKER_THREADS=1) as running:
        eventually(lambda: queue.depth().in_flight)
        running.process.send_signal(signal.SIGINT)
        assert running.exit_code() == 130
    assert results().keys() == {"one"}
    assert queue.depth().total == 0


def test_spot_interruption_notice_ends_the_worker(queue, worker, metadata):
    queue.send([message("long", 900)])
    instance_settings = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url, "NOTICE_POLL_S": 0.1}
    with worker(ENGINE_S=0.1, MAX_BATCH=1, WORKER_THREADS=1, DRAIN_S=0, **instance_settings) as running:
        eventually(lambda: queue.depth().in_flight)
        metadata.values["spot/instance-action"] = '{"action": "terminate", "time": "2026-11-22T21:00:00Z"}'
        assert running.exit_code() == 0
    assert any("terminate at 2026-11-22T21:00:00Z" in str(line.get("reason")) for line in running.entries())
    assert queue.depth() == Depth(visible=1, in_flight=0, delayed=0)


def test_long_message_stays_invisible_and_its_instance_protected(queue, worker, results, metadata):
    """Processing takes longer than the visibility timeout, and the wall clock jumps."""
    group = Group()
    metadata.values["instance-id"] = group.instance_id
    queue.send([message("long", 40)])
    instance_settings = {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        "AUTO_SCALING_GROUP": group.name,
    }
    with worker(CLOCK_JUMPS=1, ENGINE_S=0.1, MAX_BATCH=1, VISIBILITY_TIMEOUT_S=3, IDLE_EXIT_S=1, **instance_settings) as running:
        eventually(lambda: queue.depth().in_flight)
        eventually(group.is_protected)
        while not results():
            assert queue.receive() == [], "the message became visible"
        assert running.exit_code() == 0
    assert "messages are no longer held by this worker" not in [entry.get("message") for entry in running.entries()]
    assert queue.depth().total == 0
    assert group.size() == 0, "the idle instance terminates and reduces the desired capacity"


class Group:
    """An Auto Scaling group of one instance."""

    def __init__(self):
        ec2 = boto3.client("ec2")
        template = ec2.create_launch_template(
            LaunchTemplateName=f"gpu-{uuid4()}", LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "g4dn.xlarge"}
        )
        self._client = boto3.client("autoscaling")
        self.name = f"fleet-{uuid4()}"
        self._client.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=1,
            AvailabilityZones=["us-east-1a"],
        )
        self.instance_id = self._instances()[0]["InstanceId"]

    def is_protected(self):
        return self._instances()[0]["ProtectedFromScaleIn"]

    def size(self):
        return self._described()["DesiredCapacity"]

    def _instances(self):
        return self._described()["Instances"]

    def _described(self):
        return self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]


def test_missing_queue_ends_the_worker_with_a_message(worker, queue):
    with worker(QUEUE_URL=queue.url + "-gone") as running:
        assert running.exit_code() == 1
        assert f"{queue.url}-gone" in running.log.read_text()
