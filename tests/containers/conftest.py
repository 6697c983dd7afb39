"""The deployment on this machine: a Docker engine, the image as `sam build` makes it, and a moto server where S3 would be.

Where ../shared/tools/containers exists, the engine and a stand-in for the base image come from it; elsewhere from the Docker
that is installed. Where neither answers, each test skips and says why.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from images.docker import Docker
from tests.support.repository import ROOT

HERE = Path(__file__).parent

CONTAINERS = ROOT.parent / "shared/tools/containers"

CANDLES, MODELS, RESULTS = "candles", "models", "results"
BASE, WORKER_BASE = "coinfarm:lambda-base", "coinfarm:gpu-base"


@dataclass(frozen=True)
class Deployment:
    """The built stack: its template, the image of each function, and the environment in which docker and sam work."""

    template: Path
    images: dict[str, str]
    environment: dict[str, str]

    def run(self, *command: str | Path) -> str:
        """What the command wrote to stdout."""
        return run(self.environment, *command)

    def invoke(self, function: str, event: Path) -> Any:
        """The function's answer, out of a container of its own."""
        done = call(self.environment, "sam", "local", "invoke", function, "--template", self.template, "--event", event)
        answer = json.loads(done.stdout)
        if "errorType" in answer:
            pytest.fail(f"{function} raised {answer['errorType']}: {answer['errorMessage']}\n{done.stderr}", pytrace=False)
        return answer


def call(environment: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    """The finished command; where it fails, the test fails with all that it said."""
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))} exited with {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done


def run(environment: dict[str, str], *command: str | Path) -> str:
    """What the command wrote to stdout."""
    return call(environment, *command).stdout


def answers(environment: dict[str, str], *command: str) -> bool:
    """Whether the command succeeds."""
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def base_image() -> str:
    found = re.search(r"^ARG LAMBDA_BASE=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found, "the Dockerfile names its base as ARG LAMBDA_BASE"
    return found[1]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which docker and sam work."""
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    if CONTAINERS.exists():
        up = subprocess.run(["bash", CONTAINERS, "up"], env=environment, capture_output=True, text=True)
        found = re.search(r"^export DOCKER_HOST=unix://(.+)$", up.stdout, re.MULTILINE)
        if not found:
            pytest.skip(f"{CONTAINERS} could not start Docker: {up.stderr.strip()[-500:]}")
        environment["DOCKER_HOST"] = f"unix://{found[1]}"
        environment["PATH"] += f"{os.pathsep}{Path(found[1]).parent / 'sam/bin'}"  # where it keeps its own sam
        if not (answers(environment, "docker", "image", "inspect", base_image()) and shutil.which("sam", path=environment["PATH"])):
            run(environment, "bash", CONTAINERS, "lambda-base", base_image())
    if not shutil.which("docker") or not answers(environment, "docker", "info"):
        pytest.skip("no Docker engine answers")
    if not shutil.which("sam", path=environment["PATH"]):
        pytest.skip("there is no sam command: pip install aws-sam-cli")
    if not answers(environment, "docker", "buildx", "version"):
        plugins = tmp_path_factory.mktemp("docker") / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-buildx").symlink_to(HERE / "docker-buildx")
        environment["DOCKER_CONFIG"] = str(plugins.parent)
    return environment


@pytest.fixture(scope="session")
def endpoint(environment: dict[str, str]) -> Iterator[str]:
    """The URL of a moto server, as containers and this process both reach it."""
    subnet = run(environment, "docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}").strip()
    host = str(next(ip_network(subnet).hosts()))  # the bridge's first address is this machine
    server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="session")
def s3(endpoint: str) -> Any:
    """S3 with the reference model published and the candles that the events name."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    for bucket in (MODELS, CANDLES, RESULTS):
        client.create_bucket(Bucket=bucket)
    for folder, bucket, prefix in ((ROOT / "coinfarm/reference_model", MODELS, "reference/"), (ROOT / "events/candles", CANDLES, "")):
        for path in folder.rglob("*"):
            if path.is_file():
                client.upload_file(str(path), bucket, prefix + path.relative_to(folder).as_posix())
    return client


@pytest.fixture(scope="session")
def deployment(environment: dict[str, str], endpoint: str, s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """What `sam build` makes of this checkout, with its functions' S3 on the moto server."""
    environment = environment | {"AWS_ENDPOINT_URL": endpoint}  # sam asks STS for its account, and waits long for none
    folder = tmp_path_factory.mktemp("sam")
    run(environment, "sam", "build", "--build-dir", folder)
    Docker(environment).build("lambda-base", BASE)

    template = folder / "template.yaml"
    built = yaml.safe_load(template.read_text())
    # Here rather than with --env-vars, which drops in silence what the template does not declare.
    built["Globals"]["Function"]["Environment"]["Variables"] |= {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "CANDLES_ROOT": f"s3://{CANDLES}",
        "MODEL_URI": f"s3://{MODELS}/reference",
        "RESULTS_ROOT": f"s3://{RESULTS}",
    }
    template.write_text(yaml.safe_dump(built))
    resources = built["Resources"].items()
    images = {name: found["Properties"]["ImageUri"] for name, found in resources if found["Type"] == "AWS::Serverless::Function"}
    return Deployment(template, images, environment)


@pytest.fixture(scope="session")
def worker_flags(environment: dict[str, str]) -> list[str]:
    """What docker is told to build the GPU worker's image here: without CUDA, and where there is a stand-in for its base, from that."""
    flags = ["--build-arg", "GPU_EXTRAS="]
    if CONTAINERS.exists():
        if "coinfarm-plain-base" not in run(environment, "docker", "images", "--format", "{{.Repository}}"):
            run(environment, "bash", CONTAINERS, "plain-base", "coinfarm-plain-base:latest")
        flags += ["--build-arg", "GPU_BASE=coinfarm-plain-base:latest"]
    return flags


@pytest.fixture(scope="session")
def worker_image(environment: dict[str, str], worker_flags: list[str]) -> str:
    """The image of the GPU worker."""
    for target, tag in (("gpu-base", WORKER_BASE), ("gpu", "coinfarm:gpu")):
        Docker(environment).build(target, tag, *worker_flags)
    return "coinfarm:gpu"
