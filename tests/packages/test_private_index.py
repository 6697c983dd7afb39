"""Publishing to a private index and installing from it as with CodeArtifact, against a stand-in that asks for a token too."""

import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.packages.conftest import BIN, MAKE, ROOT, Distributions, Environment, bare
from tools.package_index import Index

STACK = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {
        "PackageDomain": {"Value": "coinfarm"},
        "PackageDomainOwner": {"Value": "123456789012"},
        "PackageRepository": {"Value": "packages"},
    },
}
"""What packages.yaml puts out; moto knows no CodeArtifact."""


@dataclass
class Farm:
    """An account with an index, seen from a home of its own. `said` is all that was said there."""

    environment: dict[str, str]
    home: Path
    packages: Path
    url: str
    token: str
    said: str = ""

    def run(self, *command: str | Path, folder: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | settings
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        self.said += done.stdout + done.stderr
        return done

    def tool(self, *words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(BIN / "python", "-m", "tools.package_index", *words, **settings)

    def published(self) -> set[str]:
        return {path.name for path in self.packages.iterdir()}


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    packages, home = tmp_path / "packages", tmp_path / "home"
    packages.mkdir()
    home.mkdir()
    command = [BIN / "python", Path(__file__).with_name("codeartifact.py"), packages]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        environment = {name: value for name, value in bare(home).items() if name != "AWS_DEFAULT_REGION"} | {
            "AWS_ENDPOINT_URL_CODEARTIFACT": told["endpoint"],
            "AWS_REGION": "eu-central-1",
            "PACKAGE_DOMAIN": "coinfarm",
            "PACKAGE_REPOSITORY": "packages",
        }
        yield Farm(environment, home, packages, f"{told['endpoint']}/pypi/packages/", told["token"])
        process.stdin.close()


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    """Settings by which the tool finds a stack, `coinfarm-packages`, and is told of the index by nothing else."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("cloudformation", endpoint_url=endpoint, region_name="eu-central-1")
    client.create_stack(StackName="coinfarm-packages", TemplateBody=json.dumps(STACK))
    client.create_stack(StackName="coinfarm", TemplateBody=json.dumps(STACK | {"Outputs": {}}))
    yield {"AWS_ENDPOINT_URL_CLOUDFORMATION": endpoint, "PACKAGE_DOMAIN": "", "PACKAGE_REPOSITORY": ""}
    server.stop()


def test_what_is_published_is_installed_from_the_index(farm: Farm, distributions: Distributions, empty: Environment) -> None:
    published = farm.run(*MAKE, "--old-file=dist", "publish-package", folder=distributions.checkout)
    assert published.returncode == 0, published.stdout + published.stderr
    assert farm.published() == {distributions.wheel.name, distributions.source.name}

    pip = (BIN / "python", "-m", "pip", "--python", empty.python, "install", "--no-deps", "--no-cache-dir", "coinfarm")
    installed = farm.tool("exec", *pip)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    with zipfile.ZipFile(distributions.wheel) as wheel:
        assert all((empty.site_packages / name).read_bytes() == wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name)

    assert farm.token not in farm.said
    assert not any(farm.token in path.read_text() for path in farm.home.rglob("*") if path.is_file())


def test_a_published_version_is_not_overwritten(farm: Farm, distributions: Distributions) -> None:
    (farm.packages / distributions.wheel.name).write_bytes(b"published before")
    refused = farm.tool("upload", distributions.wheel)
    assert refused.returncode == 1
    assert "already exists" in refused.stdout
    assert farm.token not in farm.said
    assert (farm.packages / distributions.wheel.name).read_bytes() == b"published before"


def test_a_wrong_token_neither_publishes_nor_installs(farm: Farm, distributions: Distributions, empty: Environment) -> None:
    wrong = Index(farm.url, "wrong")
    upload = farm.run(BIN / "python", "-m", "twine", "upload", distributions.wheel, **wrong.twine_environment())
    assert upload.returncode == 1
    assert "403 Forbidden" in upload.stdout + upload.stderr
    assert farm.published() == set()

    (farm.packages / distributions.wheel.name).write_bytes(distributions.wheel.read_bytes())
    pip = (BIN / "python", "-m", "pip", "--python", empty.python, "download", "--no-deps", "--no-cache-dir", "coinfarm")
    install = farm.run(*pip, folder=farm.home, **wrong.pip_environment())
    assert install.returncode == 1
    assert "No matching distribution found for coinfarm" in install.stderr


def test_a_stacks_outputs_name_the_index(farm: Farm, stack: dict[str, str]) -> None:
    shown = farm.tool("exec", "printenv", "PIP_INDEX_URL", STACK="coinfarm-packages", **stack)
    assert shown.stdout == f"{farm.url.replace('http://', 'http://aws:eyJ2ZXIiOjEsImlzdSI6MTcwMH0.a%2Bb%2Fc%3Dd@')}simple/\n"


def test_an_image_build_gets_the_index_as_a_secret(farm: Farm, tmp_path: Path) -> None:
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/words"\nprintenv PIP_INDEX_URL > "$HOME/secret"\n')
    docker.chmod(0o755)
    built = farm.run(*MAKE, "image-with-index", "TARGET=gpu", PATH=f"{docker.parent}:{farm.environment['PATH']}")
    assert built.returncode == 0, built.stderr
    words = (farm.home / "words").read_text().splitlines()
    assert words == ["build", "--secret", "id=pip_index,env=PIP_INDEX_URL", "--target", "gpu", "--tag", "coinfarm:gpu", "."]
    assert "aws:eyJ" in (farm.home / "secret").read_text()
    assert farm.token not in farm.said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"PACKAGE_DOMAIN": ""}, "PACKAGE_REPOSITORY", id="no index named"),
        pytest.param({"PACKAGE_DOMAIN": "other"}, "Domain or repository not found.", id="no such domain"),
        pytest.param({"STACK": "coinfarm"}, "PackageDomain", id="a stack without one"),
        pytest.param({"STACK": "gone"}, "Stack with id gone does not exist", id="no such stack"),
        pytest.param({"AWS_REGION": ""}, "AWS_REGION", id="no region"),
    ],
)
def test_where_there_is_no_index_it_says_so(farm: Farm, stack: dict[str, str], settings: dict[str, str], message: str) -> None:
    named = {"PACKAGE_DOMAIN": "coinfarm", "PACKAGE_REPOSITORY": "packages"}
    refused = farm.tool("exec", "true", **(stack | named | settings))
    assert refused.returncode in (1, 2)
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_command_that_is_not_there_is_named(farm: Farm) -> None:
    refused = farm.tool("exec", "no-such-command")
    assert (refused.returncode, refused.stderr) == (1, "Error: no-such-command: command not found\n")
