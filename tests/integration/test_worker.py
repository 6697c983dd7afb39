"""The worker as a process, over moto's server and a stand-in for EC2's metadata service. What faults do to it: test_faults.py."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from coinfarm.aws.instance_metadata import InstanceMetadata
from coinfarm.aws.sqs import Depth, Queue
from coinfarm.errors import Unavailable
from coinfarm.storage import open_storage
from tests.support.demo_requests import demo_request
from tests.support.fake_models import promote_model
from tests.support.repository import ROOT

PATIENCE_S = 180


@pytest.fixture(scope="module")
def endpoint():
    """The URL of moto's server, where this process's own clients find it too."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # which takes seconds
        yield url
    server.stop()


@pytest.fixture
def queue(endpoint):
    """A queue whose messages are dead letters after five failures."""
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName=f"dead-{uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    return Queue(sqs.create_queue(QueueName=f"shards-{uuid4()}", Attributes={"RedrivePolicy": policy})["QueueUrl"])


class Metadata(BaseHTTPRequestHandler):
    """IMDSv2: nothing without the token that it gave."""

    def do_PUT(self):
        self.answer("token" if self.path == "/latest/api/token" else None)

    def do_GET(self):
        if self.headers["X-aws-ec2-metadata-token"] != self.server.token:
            self.send_error(401)
            return
        self.answer(self.server.told.get(self.path.removeprefix("/latest/meta-data/")))

    def answer(self, text):
        self.send_response(404 if text is None else 200)
        self.end_headers()
        self.wfile.write((text or "404 - Not Found").encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def metadata():
    """The metadata service; what it tells is in `told`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        server.told, server.token = {"instance-id": "i-0123"}, "token"
        server.url = "http://{}:{}".format(*server.server_address)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server
        server.shutdown()


class Worker:
    """A worker's process, and what it logged."""

    def __init__(self, process, log):
        self.process, self._log = process, log

    def exit_code(self):
        return self.process.wait(PATIENCE_S)

    def logged(self):
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def messages(self):
        return [line.get("message") for line in self.logged()]


@pytest.fixture
def worker(queue, tmp_path):
    """Start a worker on the queue, `worker(ENGINE_S=1)`; it does not survive the test."""
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
    """The results written so far, by name."""
    return lambda: {path.stem: json.loads(path.read_text()) for path in (tmp_path / "results").glob("*.json")}


def shard(name, frames, seed=1):
    """A message whose answer goes to NAME.json."""
    return json.dumps({**demo_request(199 + frames, seed), "resultsUri": f"{name}.json"})


def eventually(condition):
    """Wait for what will be, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("waited in vain")


def test_what_the_queue_holds_is_done_and_then_the_worker_ends(queue, worker, results):
    """With a shard that comes twice, and one that no worker can do."""
    names = [f"shard{number}" for number in range(11)]
    queue.send([shard("twice", 5), "poison", *(shard(name, 3, seed) for seed, name in enumerate(names)), shard("twice", 5)])
    with worker(IDLE_EXIT_S=1) as running:
        assert running.exit_code() == 0
    assert results().keys() == {"twice", *names}
    assert [len(results()[name]["results"]) for name in ("twice", "shard0")] == [5, 3]
    assert queue.depth().total == 0
    assert [message.body for message in queue.dead_letters().receive()] == ["poison"]
    metrics = [line for line in running.logged() if "_aws" in line]
    assert sum(sum(line.get("ShardsDone", [])) for line in metrics) == 13
    assert sum(sum(line.get("Frames", [])) for line in metrics) >= 33 + 5


def test_sigterm_gives_back_what_cannot_be_finished(queue, worker, results):
    queue.send([shard("short", 2, seed=1), shard("long", 900, seed=2)])
    with worker(ENGINE_S=0.1, MAX_BATCH=1, WORKER_THREADS=1, DRAIN_S=0.5, VISIBILITY_TIMEOUT_S=600) as running:
        eventually(lambda: "short" in results())
        running.process.terminate()
        assert running.exit_code() == 0
    assert results().keys() == {"short"}
    (given_back,) = queue.receive()
    assert json.loads(given_back.body)["resultsUri"] == "long.json"
    assert given_back.receive_count == 2
    assert queue.depth() == Depth(visible=0, in_flight=1, delayed=0), "the short one is deleted"


def test_sigint_lets_what_is_in_work_be_finished(queue, worker, results):
    queue.send([shard("one", 20)])
    with worker(ENGINE_S=0.05, MAX_BATCH=1, WORKER_THREADS=1) as running:
        eventually(lambda: queue.depth().in_flight)
        running.process.send_signal(signal.SIGINT)
        assert running.exit_code() == 130
    assert results().keys() == {"one"}
    assert queue.depth().total == 0


def test_a_spot_notice_ends_the_worker(queue, worker, metadata):
    queue.send([shard("long", 900)])
    of_the_machine = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url, "NOTICE_POLL_S": 0.1}
    with worker(ENGINE_S=0.1, MAX_BATCH=1, WORKER_THREADS=1, DRAIN_S=0, **of_the_machine) as running:
        eventually(lambda: queue.depth().in_flight)
        metadata.told["spot/instance-action"] = '{"action": "terminate", "time": "2026-11-22T21:00:00Z"}'
        assert running.exit_code() == 0
    assert "spot interruption: terminate at 2026-11-22T21:00:00Z" in [line.get("reason") for line in running.logged()]
    assert queue.depth() == Depth(visible=1, in_flight=0, delayed=0)


def test_a_message_in_work_stays_hidden_and_its_machine_in_the_group(queue, worker, results, metadata):
    """The shard takes longer than a message is hidden for, and the wall clock jumps."""
    group = Group()
    metadata.told["instance-id"] = group.instance_id
    queue.send([shard("long", 40)])
    of_the_machine = {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        "AUTO_SCALING_GROUP": group.name,
    }
    with worker(CLOCK_JUMPS=1, ENGINE_S=0.1, MAX_BATCH=1, VISIBILITY_TIMEOUT_S=3, IDLE_EXIT_S=1, **of_the_machine) as running:
        eventually(lambda: queue.depth().in_flight)
        eventually(group.is_protected)
        while not results():
            assert queue.receive() == [], "somebody else sees the message that is in work"
        assert running.exit_code() == 0
    assert "messages are no longer held by this worker" not in running.messages()
    assert queue.depth().total == 0
    assert group.size() == 0, "idle, it leaves the group and makes it smaller"


class Group:
    """An Auto Scaling group of one machine."""

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


def test_a_queue_that_cannot_be_reached_is_waited_for(worker, results, free_port):
    url = f"http://127.0.0.1:{free_port}"
    with worker(AWS_ENDPOINT_URL=url, QUEUE_URL=f"{url}/123456789012/late", WORKER_THREADS=1) as running:
        eventually(lambda: "no messages could be received" in running.messages())
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port, verbose=False)
        server.start()
        try:
            sqs = boto3.client("sqs", endpoint_url=url)
            late = sqs.create_queue(QueueName="late")["QueueUrl"]
            sqs.send_message(QueueUrl=late, MessageBody=shard("one", 1))
            eventually(results)
            running.process.terminate()
            assert running.exit_code() == 0
        finally:
            server.stop()


@pytest.fixture
def free_port():
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        return server.server_address[1]


def test_a_queue_that_is_not_there_ends_the_worker_with_a_word(worker, queue):
    with worker(QUEUE_URL=queue.url + "-gone") as running:
        assert running.exit_code() == 1
        assert f"{queue.url}-gone" in running._log.read_text()


@pytest.mark.parametrize(
    ("path", "document", "notice"),
    [
        pytest.param("spot/instance-action", '{"action": "stop", "time": "T"}', "spot interruption: stop at T", id="interruption"),
        pytest.param("spot/instance-action", "?", "spot interruption: ? at ?", id="one that nobody can read"),
        pytest.param("events/recommendations/rebalance", '{"noticeTime": "T"}', "rebalance recommended at T", id="rebalance"),
        pytest.param(
            "autoscaling/target-lifecycle-state", "Terminated", "the Auto Scaling group is terminating the instance", id="scaling in"
        ),
        pytest.param("autoscaling/target-lifecycle-state", "InService", None, id="in service"),
        pytest.param("instance-life-cycle", "spot", None, id="nothing"),
    ],
)
def test_an_instance_tells_that_it_ends(metadata, path, document, notice):
    metadata.told[path] = document
    assert InstanceMetadata(metadata.url).termination_notice() == notice


def test_a_forgotten_token_is_renewed(metadata):
    instance = InstanceMetadata(metadata.url)
    assert instance.instance_id() == "i-0123"
    metadata.token = "another"
    with pytest.raises(Unavailable, match="401"):
        instance.instance_id()
    metadata.token = "token"
    assert instance.instance_id() == "i-0123"


def test_where_there_is_no_instance_that_is_said(free_port):
    with pytest.raises(Unavailable, match=str(free_port)):
        InstanceMetadata(f"http://127.0.0.1:{free_port}").termination_notice()
