"""Fixtures: a Docker engine, the image that `sam build` builds, and S3 on a moto server.

If ../shared/tools/containers exists, it provides the engine and a stand-in for the base image; otherwise the installed Docker is used. If
neither works, the tests are skipped with the reason.
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
from tests.support.fake_exchange import FakeBinanceUs
from tests.support.repository import ROOT

HERE = Path(__file__).parent

CONTAINERS = ROOT.parent / "shared/tools/containers"

CANDLES, MODELS, RESULTS = "candles", "models", "results"
BASE, WORKER_BASE = "coinfarm:lambda-base", "coinfarm:gpu-base"


@dataclass(frozen=True)
class Deployment:
    """The built stack: its template, the image of each function, and the environment variables for docker and sam."""

    template: Path
    images: dict[str, str]
    environment: dict[str, str]

    def invoke(self, function: str, event: Path) -> Any:
        """The response of a function, in a new container."""
        response, log = self._invoke(function, event)
        if "errorType" in response:
            pytest.fail(f"{function} raised {response['errorType']}: {response['errorMessage']}\n{log}", pytrace=False)
        return response

    def raised(self, function: str, event: Path) -> str | None:
        """The class of the exception that a function raises, in a new container; None if it returns."""
        name: str | None = self._invoke(function, event)[0].get("errorType")
        return name

    def _invoke(self, function: str, event: Path) -> tuple[Any, str]:
        completed = call(self.environment, "sam", "local", "invoke", function, "--template", self.template, "--event", event)
        return json.loads(completed.stdout), completed.stderr


def call(environment: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command; if it fails, the test fails with its output."""
    completed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if completed.returncode:
        pytest.fail(
            f"{' '.join(map(str, command))} exited with {completed.returncode}\n{completed.stdout}\n{completed.stderr}", pytrace=False
        )
    return completed


def run(environment: dict[str, str], *command: str | Path) -> str:
    """The stdout of a command."""
    return call(environment, *command).stdout


def succeeds(environment: dict[str, str], *command: str) -> bool:
    """Whether a command succeeds."""
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def base_image() -> str:
    found = re.search(r"^ARG LAMBDA_BASE=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found, "the Dockerfile has no ARG LAMBDA_BASE"
    return found[1]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables for docker and sam."""
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
        environment["PATH"] += f"{os.pathsep}{Path(found[1]).parent / 'sam/bin'}"  # it contains sam
        if not (succeeds(environment, "docker", "image", "inspect", base_image()) and shutil.which("sam", path=environment["PATH"])):
            run(environment, "bash", CONTAINERS, "lambda-base", base_image())
    if not shutil.which("docker") or not succeeds(environment, "docker", "info"):
        pytest.skip("Docker is not running")
    if not shutil.which("sam", path=environment["PATH"]):
        pytest.skip("sam is not installed: pip install aws-sam-cli")
    if not succeeds(environment, "docker", "buildx", "version"):
        plugins = tmp_path_factory.mktemp("docker") / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-buildx").symlink_to(HERE / "docker-buildx")
        environment["DOCKER_CONFIG"] = str(plugins.parent)
    return environment


@pytest.fixture(scope="session")
def host(environment: dict[str, str]) -> str:
    """The address of this machine, for containers and this process: the first of the bridge."""
    subnet = run(environment, "docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}").strip()
    return str(next(ip_network(subnet).hosts()))


@pytest.fixture(scope="session")
def exchange(host: str) -> Iterator[FakeBinanceUs]:
    """An exchange whose last candle has just closed."""
    with FakeBinanceUs.running(host) as exchange:
        exchange.now_ms += 5_000
        yield exchange


@pytest.fixture(scope="session")
def endpoint(host: str) -> Iterator[str]:
    """The URL of a moto server, for containers and this process."""
    server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="session")
def s3(endpoint: str) -> Any:
    """S3 with the reference model and the candles of the events."""
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
def deployment(
    environment: dict[str, str], endpoint: str, s3: Any, exchange: FakeBinanceUs, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """The output of `sam build`, with the moto server as S3, and the fake exchange."""
    environment = environment | {"AWS_ENDPOINT_URL": endpoint}  # sam calls STS, and waits long if there is no endpoint
    folder = tmp_path_factory.mktemp("sam")
    run(environment, "sam", "build", "--build-dir", folder)
    Docker(environment).build("lambda-base", BASE)

    template = folder / "template.yaml"
    built = yaml.safe_load(template.read_text())
    # Not with --env-vars, which ignores variables that the template does not declare.
    built["Globals"]["Function"]["Environment"]["Variables"] |= {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "CANDLES_ROOT": f"s3://{CANDLES}",
        "LIVE_EXCHANGE_URL": exchange.url,
        "MODEL_URI": f"s3://{MODELS}/reference",
        "RESULTS_ROOT": f"s3://{RESULTS}",
    }
    template.write_text(yaml.safe_dump(built))
    resources = built["Resources"].items()
    images = {name: found["Properties"]["ImageUri"] for name, found in resources if found["Type"] == "AWS::Serverless::Function"}
    return Deployment(template, images, environment)


@pytest.fixture(scope="session")
def worker_flags(environment: dict[str, str]) -> list[str]:
    """Options to build the GPU worker's image: without CUDA, and from a stand-in for the base image if there is one."""
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
