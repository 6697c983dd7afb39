"""Runs the blocks of every page in order, in a fresh copy of the repository.

test_aws_pages.py runs pages that need AWS, tests/containers blocks that need Docker.
"""

import pytest

from tests.docs.page_runs import pages_with, run_page, skipped
from tests.docs.pages import PageError, page_blocks, page_names


@pytest.mark.parametrize("name", page_names())
def test_page_is_valid(name):
    message = ""
    try:
        page_blocks(name)
    except PageError as error:
        message = str(error)
    if message:
        pytest.fail(message, pytrace=False)


@pytest.mark.parametrize("name", [name for name in page_names() if name not in pages_with("aws")])
def test_every_block_runs(name, tmp_path):
    run_page(name, tmp_path, lambda block: "docker" not in block.needs)


@pytest.mark.parametrize(("place", "reason"), [pytest.param(*each, id=each[0]) for each in skipped()])
def test_is_skipped(place, reason):
    pytest.skip(f"{place}: {reason}")
