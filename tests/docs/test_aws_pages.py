"""Runs the pages that need AWS with moto's server. The stacks of samconfig.toml are deployed unless the page deploys them."""

import re

import pytest

from tests.docs.cloud import STAND_INS, Cloud, tools
from tests.docs.page_runs import pages_with, run_page
from tests.docs.pages import page_blocks
from tests.integration.stack.templates import stage_parameters


@pytest.mark.parametrize("name", pages_with("aws"))
def test_every_block_runs(name, tmp_path):
    run = "".join(block.text for block in page_blocks(name) if block.is_run)
    deployed_by_page = set(re.findall(r"sam deploy .*--config-env[ =](\w+)", run))
    with Cloud.started(tmp_path) as cloud:
        for stage in {"dev", "prod"} - deployed_by_page:
            cloud.deploy(f"coinfarm-{stage}", stage_parameters(stage))
        run_page(name, tmp_path, lambda block: "docker" not in block.needs, programs=programs_in(tmp_path / "bin"), **cloud.environment())


def programs_in(folder):
    """A folder with the stand-in for sam, and the AWS CLI if there is one."""
    folder.mkdir()
    (folder / "sam").symlink_to(STAND_INS / "sam")
    if "aws" in tools():
        (folder / "aws").symlink_to(tools()["aws"])
    return folder
