"""Runs the pages with blocks that need Docker, up to the last of these blocks, without blocks that need AWS."""

import pytest

from tests.docs.page_runs import pages_with, run_page
from tests.docs.pages import page_blocks

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

_INHERITED = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_BUILDKIT")


@pytest.mark.parametrize("name", pages_with("docker"))
def test_every_block_runs(name, environment, endpoint, tmp_path):
    last = max(block.line for block in page_blocks(name) if "docker" in block.needs and block.is_run)
    inherited = {variable: environment[variable] for variable in _INHERITED if variable in environment}
    # sam calls STS, and waits long if there is no endpoint.
    run_page(
        name,
        tmp_path,
        lambda block: block.line <= last and "aws" not in block.needs,
        timeout_s=600,
        machine_path=environment["PATH"],
        AWS_ENDPOINT_URL=endpoint,
        no_proxy=f"127.0.0.1,localhost,{endpoint.split('/')[2].split(':')[0]}",
        **inherited,
    )
