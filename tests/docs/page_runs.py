"""What the tests of pages share: which blocks are run where, and a page's run as a test's outcome."""

import itertools
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.not_run import commands_left_out
from tests.docs.pages import Block, PageError, page_blocks, page_names
from tests.docs.runner import TIMEOUT_S, PortTaken, missing_tools, page_environment, run_blocks
from tests.docs.shell import BlockFailed


def all_pages() -> dict[str, list[Block]]:
    """The blocks of each page; none of a page that cannot be read, of which a test says why."""
    return {name: _blocks_or_none(name) for name in page_names()}


def pages_with(needs: str) -> list[str]:
    """Pages with a block that is run, and needs it."""
    return [name for name, blocks in all_pages().items() if any(needs in block.needs for block in blocks if block.is_run)]


def left_out() -> Iterator[tuple[str, str]]:
    """Blocks and commands of all pages that are not run in tests/docs, with the reasons."""
    for blocks in all_pages().values():
        for block in blocks:
            if block.skip_reason:
                yield block.place, block.skip_reason
            elif "docker" in block.needs:
                yield block.place, "needs Docker: tests/containers/test_docs.py runs it"
            else:
                for command, reason in commands_left_out(block).items():
                    yield f"{block.place} {command}", reason


def run_page(
    name: str,
    folder: Path,
    is_wanted: Callable[[Block], bool],
    *,
    programs: Path | None = None,
    machine_path: str = os.environ["PATH"],
    timeout_s: float = TIMEOUT_S,
    **variables: str,
) -> None:
    """Run the page's wanted blocks in a fresh copy on a path with a space; the test fails, or is skipped, if they do not.

    `programs` is a folder of programs that go before the machine's own, `variables` are set in the page's environment. From the first
    block on that calls a program which this machine does not have, the page is skipped.
    """
    try:
        blocks = [block for block in page_blocks(name) if block.is_run and is_wanted(block)]
    except PageError:
        pytest.skip("test_a_page_is_written_so_that_it_can_be_tested says what is wrong with the page")
    copy, home, logs = folder / "a folder/coinfarm", folder / "home", folder / "logs"
    for path in (copy.parent, home, logs):
        path.mkdir()
    environment = page_environment(fresh_copy(copy), home, programs, machine_path, **variables)
    missing = [missing_tools(block, environment) for block in blocks]
    possible = [block for block, _ in itertools.takewhile(lambda pair: not pair[1], zip(blocks, missing, strict=True))]
    outcome, message = None, ""
    try:
        run_blocks(possible, copy, environment, logs, timeout_s)
    except (BlockFailed, PageError) as error:
        outcome, message = partial(pytest.fail, pytrace=False), str(error)
    except PortTaken as error:
        outcome, message = pytest.skip, str(error)
    if outcome:  # outside of the handlers: a report shows the message once
        outcome(message)
    if len(possible) < len(blocks):
        first = len(possible)
        pytest.skip(f"{blocks[first].place} and what follows: this machine has no {' and no '.join(sorted(missing[first]))}")


def _blocks_or_none(name: str) -> list[Block]:
    try:
        return page_blocks(name)
    except PageError:
        return []
