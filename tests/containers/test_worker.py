"""The image of the GPU worker, without CUDA, on this machine's processor."""

import json
import time
from pathlib import Path

import boto3
import pytest

from tests.containers.conftest import CANDLES, CONTAINERS, MODELS, RESULTS, run

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

EVENTS = Path(__file__).parents[2] / "events"
PATIENCE_S = 120


@pytest.fixture(scope="module")
def image(environment):
    arguments = ["GPU_EXTRAS="]
    if CONTAINERS.exists():
        if "coinfarm-plain-base" not in run(environment, "docker", "images", "--format", "{{.Repository}}"):
            run(environment, "bash", CONTAINERS, "plain-base", "coinfarm-plain-base:latest")
        arguments.append("GPU_BASE=coinfarm-plain-base:latest")
    given = [word for argument in arguments for word in ("--build-arg", argument)]
    run(environment, "docker", "buildx", "build", "--load", "--target", "gpu", "--tag", "coinfarm:gpu", *given, ".")
    return "coinfarm:gpu"


@pytest.fixture
def queue_url(endpoint):
    sqs = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    url = sqs.create_queue(QueueName="shards")["QueueUrl"]
    for event in sorted(EVENTS.glob("sqs-*.json")):
        for record in json.loads(event.read_text())["Records"]:
            sqs.send_message(QueueUrl=url, MessageBody=record["body"])
    return url


@pytest.fixture
def container(environment, endpoint, image, queue_url, s3):
    """A worker at work, which is checked every second."""
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
    given = [argument for name, value in variables.items() for argument in ("--env", f"{name}={value}")]
    started = run(environment, "docker", "run", "--detach", "--health-interval", "1s", "--health-start-period", "0s", *given, image)
    yield started.strip()
    print(run(environment, "docker", "logs", started.strip()))
    run(environment, "docker", "rm", "--force", started.strip())


def test_a_worker_does_what_the_queue_holds_and_ends_when_it_is_stopped(container, environment, s3):
    def state(what):
        return run(environment, "docker", "inspect", "--format", "{{" + what + "}}", container).strip()

    asked = {
        json.loads(record["body"])["resultsUri"]
        for event in EVENTS.glob("sqs-*.json")
        for record in json.loads(event.read_text())["Records"]
    }
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and state(".State.Running") == "true":
        written = {found["Key"] for found in s3.list_objects_v2(Bucket=RESULTS).get("Contents", [])}
        if asked <= written and state(".State.Health.Status") == "healthy":
            break
        time.sleep(0.5)
    assert asked <= written
    assert state(".State.Health.Status") == "healthy"
    run(environment, "docker", "stop", "--time", "60", container)
    assert state(".State.ExitCode") == "0"


def in_image(environment, image, code):
    return json.loads(run(environment, "docker", "run", "--rm", "--entrypoint", "python3", image, "-c", code))


def test_a_worker_is_not_root(environment, image):
    assert in_image(environment, image, "import os; print(os.getuid())") != 0


def test_the_image_holds_the_packages_and_no_tensorflow(environment, image):
    listed = in_image(environment, image, "import json, os; print(json.dumps(sorted(os.listdir())))")
    assert listed == ["coinfarm", "handler", "image_render"]
    assert in_image(environment, image, "import importlib.util as u; print(int(u.find_spec('tensorflow') is not None))") == 0
