"""Every page's blocks run as printed, in order, in a fresh copy of the repository.

Pages that need AWS are in test_aws_pages.py, blocks that need Docker in tests/containers.
"""

import pytest

from tests.docs.page_runs import left_out, pages_with, run_page
from tests.docs.pages import PageError, page_blocks, page_names


@pytest.mark.parametrize("name", page_names())
def test_a_page_is_written_so_that_it_can_be_tested(name):
    message = ""
    try:
        page_blocks(name)
    except PageError as error:
        message = str(error)
    if message:
        pytest.fail(message, pytrace=False)


@pytest.mark.parametrize("name", [name for name in page_names() if name not in pages_with("aws")])
def test_every_block_runs_as_printed(name, tmp_path):
    run_page(name, tmp_path, lambda block: "docker" not in block.needs)


@pytest.mark.parametrize(("what", "reason"), [pytest.param(*found, id=found[0]) for found in left_out()])
def test_it_is_left_out(what, reason):
    pytest.skip(f"{what}: {reason}")
