"""Pages with blocks that need Docker: run as printed, in order, up to the last of those blocks, and without those that need AWS."""

import pytest

from tests.docs.page_runs import pages_with, run_page
from tests.docs.pages import page_blocks

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

_PASSED_ON = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_BUILDKIT")


@pytest.mark.parametrize("name", pages_with("docker"))
def test_every_block_runs_as_printed(name, environment, endpoint, tmp_path):
    last = max(block.line for block in page_blocks(name) if "docker" in block.needs and block.is_run)
    passed_on = {variable: environment[variable] for variable in _PASSED_ON if variable in environment}
    # sam asks STS for its account, and waits long for none.
    run_page(
        name,
        tmp_path,
        lambda block: block.line <= last and "aws" not in block.needs,
        timeout_s=600,
        machine_path=environment["PATH"],
        AWS_ENDPOINT_URL=endpoint,
        no_proxy=f"127.0.0.1,localhost,{endpoint.split('/')[2].split(':')[0]}",
        **passed_on,
    )
