"""Runs the pages that need AWS with moto's server. The stacks of samconfig.toml are deployed unless the page deploys them."""

import os
import re
import subprocess

import pytest

from tests.docs.cloud import STAND_INS, Cloud, tools
from tests.docs.page_runs import pages_with, run_page
from tests.docs.pages import ROOT, page_blocks
from tests.integration.stack.templates import stage_parameters


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory):
    with Cloud.started(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud):
    """A cloud without stacks."""
    yield shared_cloud
    shared_cloud.reset()


@pytest.mark.parametrize("name", pages_with("aws"))
def test_every_block_runs(name, tmp_path, cloud):
    run = "".join(block.text for block in page_blocks(name) if block.is_run)
    deployed_by_page = set(re.findall(r"sam deploy .*--config-env[ =](\w+)", run))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sam").symlink_to(STAND_INS / "sam")
    if "aws" in tools():
        (programs / "aws").symlink_to(tools()["aws"])
    for stage in {"dev", "prod"} - deployed_by_page:
        cloud.deploy(f"coinfarm-{stage}", stage_parameters(stage))
    run_page(name, tmp_path, lambda block: "docker" not in block.needs, programs=programs, **cloud.environment())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("deploy --config-env dev --parameter-overrides Nonsense=1", "Nonsense"),
        ("deploy --config-env dev --wait-for-it", "--wait-for-it"),
        ("deploy --template-file infrastructure/packages.yaml --stack-name packages", "template.yaml"),
        ("delete --stack-name coinfarm-none --no-prompts", "coinfarm-none"),
        ("build --config-env qa", "'qa'"),
    ],
)
def test_command_that_sam_would_reject_fails(cloud, command, message):
    environment = os.environ | cloud.environment()
    ran = subprocess.run([STAND_INS / "sam", *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode != 0
    assert message in ran.stderr
