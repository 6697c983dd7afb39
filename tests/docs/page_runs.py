"""Helpers for the tests of pages: which blocks run where, and the outcome of a page's run."""

import itertools
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.not_run import skipped_commands
from tests.docs.pages import Block, PageError, page_blocks, page_names
from tests.docs.runner import TIMEOUT_S, PortTaken, missing_tools, page_environment, run_blocks
from tests.docs.shell import BlockFailed


def all_pages() -> dict[str, list[Block]]:
    """The blocks of each page. An invalid page has none; another test reports it."""
    return {name: _blocks_or_empty(name) for name in page_names()}


def pages_with(needs: str) -> list[str]:
    """Pages with a block that is run and has that need."""
    return [name for name, blocks in all_pages().items() if any(needs in block.needs for block in blocks if block.is_run)]


def skipped() -> Iterator[tuple[str, str]]:
    """The blocks and commands of all pages that are not run in tests/docs, with the reasons."""
    for blocks in all_pages().values():
        for block in blocks:
            if block.skip_reason:
                yield block.place, block.skip_reason
            elif "docker" in block.needs:
                yield block.place, "needs Docker: tests/containers/test_docs.py runs it"
            else:
                for command, reason in skipped_commands(block).items():
                    yield f"{block.place} {command}", reason


def run_page(
    name: str,
    folder: Path,
    is_selected: Callable[[Block], bool],
    *,
    programs: Path | None = None,
    machine_path: str = os.environ["PATH"],
    timeout_s: float = TIMEOUT_S,
    **variables: str,
) -> None:
    """Run the selected blocks of a page in a fresh copy, on a path with a space; fail or skip the test accordingly.

    `programs` is a folder that comes first on the PATH; `variables` are additional environment variables. The page is skipped from the
    first block that needs a program this machine does not have.
    """
    try:
        blocks = [block for block in page_blocks(name) if block.is_run and is_selected(block)]
    except PageError:
        pytest.skip("invalid page: see test_page_is_valid")
    copy, home, logs = folder / "a folder/coinfarm", folder / "home", folder / "logs"
    for path in (copy.parent, home, logs):
        path.mkdir()
    environment = page_environment(fresh_copy(copy), home, programs, machine_path, **variables)
    missing = [missing_tools(block, environment) for block in blocks]
    runnable = [block for block, _ in itertools.takewhile(lambda pair: not pair[1], zip(blocks, missing, strict=True))]
    outcome, message = None, ""
    try:
        run_blocks(runnable, copy, environment, logs, timeout_s)
    except (BlockFailed, PageError) as error:
        outcome, message = partial(pytest.fail, pytrace=False), str(error)
    except PortTaken as error:
        outcome, message = pytest.skip, str(error)
    if outcome:  # outside of the except blocks, so that the report shows the message only once
        outcome(message)
    if len(runnable) < len(blocks):
        first = len(runnable)
        pytest.skip(f"{blocks[first].place} and the blocks after it: this machine has no {', '.join(sorted(missing[first]))}")


def _blocks_or_empty(name: str) -> list[Block]:
    try:
        return page_blocks(name)
    except PageError:
        return []
