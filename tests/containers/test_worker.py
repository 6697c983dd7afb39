"""The image of the GPU worker, without CUDA, on the CPU."""

import json
import time

import boto3
import pytest

from handler.message_body import unwrapped, upload_event
from images.docker import Docker
from images.size import measure
from tests.containers.conftest import CANDLES, MODELS, RESULTS, WORKER_BASE, run
from tests.support.repository import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

BODIES = [record["body"] for event in sorted((ROOT / "events").glob("sqs-*.json")) for record in json.loads(event.read_text())["Records"]]
TIMEOUT_S = 120


def result_of(body):
    """The key of the result of a message."""
    upload = upload_event(body)
    if upload is None:
        return json.loads(unwrapped(body))["resultsUri"]
    uploaded = upload["detail"]["object"]
    return f"{uploaded['key']}/{uploaded['etag']}.parquet"


@pytest.fixture
def queue_url(endpoint):
    sqs = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    url = sqs.create_queue(QueueName="shards")["QueueUrl"]
    for body in BODIES:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    return url


@pytest.fixture
def container(environment, endpoint, worker_image, queue_url, s3):
    """A running worker with a health check every second."""
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "CANDLES_ROOT": f"s3://{CANDLES}",
        "ENGINE": "auto",
        "MODEL_URI": f"s3://{MODELS}/reference",
        "QUEUE_URL": queue_url,
        "RECEIVE_WAIT_S": "1",
        "RESULTS_ROOT": f"s3://{RESULTS}",
    }
    flags = [argument for name, value in variables.items() for argument in ("--env", f"{name}={value}")]
    started = run(environment, "docker", "run", "--detach", "--health-interval", "1s", "--health-start-period", "0s", *flags, worker_image)
    yield started.strip()
    print(run(environment, "docker", "logs", started.strip()))
    run(environment, "docker", "rm", "--force", started.strip())


def test_worker_processes_the_queue_and_stops_on_request(container, environment, s3):
    def state(field):
        return run(environment, "docker", "inspect", "--format", "{{" + field + "}}", container).strip()

    expected = {result_of(body) for body in BODIES}
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and state(".State.Running") == "true":
        written = {found["Key"] for found in s3.list_objects_v2(Bucket=RESULTS).get("Contents", [])}
        if expected <= written and state(".State.Health.Status") == "healthy":
            break
        time.sleep(0.5)
    assert expected <= written
    assert state(".State.Health.Status") == "healthy"
    run(environment, "docker", "stop", "--time", "60", container)
    assert state(".State.ExitCode") == "0"


def test_worker_is_not_root_and_cannot_modify_its_code(environment, worker_image):
    code = "import os; print(os.getuid(), os.getgid(), os.access('.', os.W_OK), os.access('handler/worker.py', os.W_OK))"
    assert Docker(environment).run_python(worker_image, code) == b"65532 65532 False False\n"


def test_image_has_neither_tensorflow_nor_installers(environment, worker_image):
    code = "import importlib.util as u, os; print(*sorted(os.listdir()), *(each for each in {} if u.find_spec(each)))"
    listed = Docker(environment).run_python(worker_image, code.format(["tensorflow", "pip", "setuptools", "wheel", "pyarrow"]))
    assert listed == b"coinfarm handler image_render pyarrow\n"


def test_image_is_within_its_size_limit(environment, worker_image):
    size = measure(Docker(environment), worker_image, WORKER_BASE)
    print(f"{worker_image}, without CUDA: {size.total_mb:.0f} MB, {size.added_mb:.0f} MB more than its base")
    size.check("gpu without CUDA")
