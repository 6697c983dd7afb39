"""Publishing to a private index and installing from it, with a stand-in for CodeArtifact."""

import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.packages.conftest import BIN, MAKE, ROOT, Distributions, Environment, bare
from tests.support.moto_server import moto_server
from tools.package_index import Index

STACK = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {
        "PackageDomain": {"Value": "coinfarm"},
        "PackageDomainOwner": {"Value": "123456789012"},
        "PackageRepository": {"Value": "packages"},
    },
}
"""The outputs of infrastructure/packages.yaml; moto has no CodeArtifact."""


@dataclass
class IndexUser:
    """A user of an index, with an own home folder. `output` is the output of all commands."""

    environment: dict[str, str]
    home: Path
    packages: Path
    url: str
    token: str
    output: str = ""

    def run(self, *command: str | Path, folder: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | settings
        completed = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        self.output += completed.stdout + completed.stderr
        return completed

    def tool(self, *words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(BIN / "python", "-m", "tools.package_index", *words, **settings)

    def published(self) -> set[str]:
        return {path.name for path in self.packages.iterdir()}


@pytest.fixture
def user(tmp_path: Path) -> Iterator[IndexUser]:
    packages, home = tmp_path / "packages", tmp_path / "home"
    packages.mkdir()
    home.mkdir()
    command = [BIN / "python", Path(__file__).with_name("codeartifact.py"), packages]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        server = json.loads(process.stdout.readline())
        environment = {name: value for name, value in bare(home).items() if name != "AWS_DEFAULT_REGION"} | {
            "AWS_ENDPOINT_URL_CODEARTIFACT": server["endpoint"],
            "AWS_REGION": "eu-central-1",
            "PACKAGE_DOMAIN": "coinfarm",
            "PACKAGE_REPOSITORY": "packages",
        }
        yield IndexUser(environment, home, packages, f"{server['endpoint']}/pypi/packages/", server["token"])
        process.stdin.close()


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    """Settings with which the tool can find the index only in the outputs of the stack `coinfarm-packages`."""
    with moto_server() as endpoint:
        client = boto3.client("cloudformation", endpoint_url=endpoint, region_name="eu-central-1")
        client.create_stack(StackName="coinfarm-packages", TemplateBody=json.dumps(STACK))
        client.create_stack(StackName="coinfarm", TemplateBody=json.dumps(STACK | {"Outputs": {}}))
        yield {"AWS_ENDPOINT_URL_CLOUDFORMATION": endpoint, "PACKAGE_DOMAIN": "", "PACKAGE_REPOSITORY": ""}


def test_published_package_can_be_installed(user: IndexUser, distributions: Distributions, empty: Environment) -> None:
    published = user.run(*MAKE, "--old-file=dist", "publish-package", folder=distributions.checkout)
    assert published.returncode == 0, published.stdout + published.stderr
    assert user.published() == {distributions.wheel.name, distributions.source.name}

    pip = (BIN / "python", "-m", "pip", "--python", empty.python, "install", "--no-deps", "--no-cache-dir", "coinfarm")
    installed = user.tool("exec", *pip)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    with zipfile.ZipFile(distributions.wheel) as wheel:
        assert all((empty.site_packages / name).read_bytes() == wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name)

    assert user.token not in user.output
    assert not any(user.token in path.read_text() for path in user.home.rglob("*") if path.is_file())


def test_published_version_is_not_overwritten(user: IndexUser, distributions: Distributions) -> None:
    (user.packages / distributions.wheel.name).write_bytes(b"published before")
    result = user.tool("upload", distributions.wheel)
    assert result.returncode == 1
    assert "already exists" in result.stdout
    assert user.token not in user.output
    assert (user.packages / distributions.wheel.name).read_bytes() == b"published before"


def test_wrong_token_can_neither_publish_nor_install(user: IndexUser, distributions: Distributions, empty: Environment) -> None:
    wrong = Index(user.url, "wrong")
    upload = user.run(BIN / "python", "-m", "twine", "upload", distributions.wheel, **wrong.twine_environment())
    assert upload.returncode == 1
    assert "403 Forbidden" in upload.stdout + upload.stderr
    assert user.published() == set()

    (user.packages / distributions.wheel.name).write_bytes(distributions.wheel.read_bytes())
    pip = (BIN / "python", "-m", "pip", "--python", empty.python, "download", "--no-deps", "--no-cache-dir", "coinfarm")
    install = user.run(*pip, folder=user.home, **wrong.pip_environment())
    assert install.returncode == 1
    assert "No matching distribution found for coinfarm" in install.stderr


def test_stack_outputs_name_the_index(user: IndexUser, stack: dict[str, str]) -> None:
    result = user.tool("exec", "printenv", "PIP_INDEX_URL", STACK="coinfarm-packages", **stack)
    assert result.stdout == f"{user.url.replace('http://', 'http://aws:eyJ2ZXIiOjEsImlzdSI6MTcwMH0.a%2Bb%2Fc%3Dd@')}simple/\n"


def test_image_build_gets_the_index_as_a_secret(user: IndexUser, tmp_path: Path) -> None:
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/words"\nprintenv PIP_INDEX_URL > "$HOME/secret"\n')
    docker.chmod(0o755)
    built = user.run(*MAKE, "image-with-index", "TARGET=gpu", PATH=f"{docker.parent}:{user.environment['PATH']}")
    assert built.returncode == 0, built.stderr
    words = (user.home / "words").read_text().splitlines()
    assert words == ["build", "--secret", "id=pip_index,env=PIP_INDEX_URL", "--target", "gpu", "--tag", "coinfarm:gpu", "."]
    assert "aws:eyJ" in (user.home / "secret").read_text()
    assert user.token not in user.output


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"PACKAGE_DOMAIN": ""}, "PACKAGE_REPOSITORY", id="no index named"),
        pytest.param({"PACKAGE_DOMAIN": "other"}, "not found", id="unknown domain"),
        pytest.param({"STACK": "coinfarm"}, "PackageDomain", id="stack without an index"),
        pytest.param({"STACK": "gone"}, "gone", id="unknown stack"),
        pytest.param({"AWS_REGION": ""}, "AWS_REGION", id="no region"),
    ],
)
def test_missing_index_is_reported(user: IndexUser, stack: dict[str, str], settings: dict[str, str], message: str) -> None:
    named = {"PACKAGE_DOMAIN": "coinfarm", "PACKAGE_REPOSITORY": "packages"}
    result = user.tool("exec", "true", **(stack | named | settings))
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_command_is_reported(user: IndexUser) -> None:
    result = user.tool("exec", "no-such-command")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "no-such-command" in result.stderr
