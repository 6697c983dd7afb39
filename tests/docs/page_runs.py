"""Runs a page in a fresh copy of the repository, and lists what is not run."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.not_run import skipped_commands
from tests.docs.pages import Block, PageError, page_blocks, page_names
from tests.docs.runner import TIMEOUT_S, run_blocks

_INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR", "TZ", "USER")
_PROGRAMS = {"aws", "curl", "docker", "git", "sam"}
"""Programs that pages call and that neither the system nor `make develop` provides."""
_UNREACHABLE = "http://127.0.0.1:9"


@cache
def all_pages() -> dict[str, list[Block]]:
    """The blocks of each page. An invalid page has none; test_page_is_valid reports it."""
    return {name: _blocks_or_empty(name) for name in page_names()}


def _blocks_or_empty(name: str) -> list[Block]:
    try:
        return page_blocks(name)
    except PageError:
        return []


def pages_with(needs: str) -> list[str]:
    """Pages with a block that is run and has that need."""
    return [name for name, blocks in all_pages().items() if any(needs in block.needs for block in blocks if block.is_run)]


def skipped() -> Iterator[tuple[str, str]]:
    """The blocks and commands of all pages that are not run in tests/docs, with the reasons."""
    for block in (block for blocks in all_pages().values() for block in blocks):
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
    """Run the selected blocks of a page in a fresh copy, on a path with a space.

    `programs` is a folder that comes first on the PATH; `variables` are additional environment variables. The page is skipped from the
    first block that needs a program this machine does not have.
    """
    blocks = [block for block in all_pages()[name] if block.is_run and is_selected(block)]
    copy, home, logs = folder / "a folder/coinfarm", folder / "home", folder / "logs"
    for path in (copy.parent, home, logs):
        path.mkdir()
    environment = page_environment(fresh_copy(copy), home, programs, machine_path, **variables)
    missing = [missing_tools(block, environment) for block in blocks]
    runnable = next((number for number, tools in enumerate(missing) if tools), len(blocks))
    run_blocks(blocks[:runnable], copy, environment, logs, timeout_s)
    if runnable < len(blocks):
        pytest.skip(f"{blocks[runnable].place} and the blocks after it: this machine has no {', '.join(sorted(missing[runnable]))}")


def page_environment(
    copy: Path, home: Path, programs: Path | None = None, machine_path: str = os.environ["PATH"], **variables: str
) -> dict[str, str]:
    """The environment variables of a page: an empty home, the copy's code, no AWS and no internet. pip installs nothing."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, filter(None, (programs, copy / ".venv/bin", machine_path)))),
        "PYTHONPATH": str(copy),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_DRY_RUN": "1",
        "PIP_NO_INDEX": "1",
        "PYTEST_DEBUG_TEMPROOT": str(home.parent),  # a pytest in a page would remove the folders of earlier runs for minutes
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": _UNREACHABLE,
        "https_proxy": _UNREACHABLE,
        "http_proxy": _UNREACHABLE,
        "no_proxy": "127.0.0.1,localhost",
        "SAM_CLI_TELEMETRY": "0",
        **variables,
    }


def missing_tools(block: Block, environment: dict[str, str]) -> set[str]:
    """The external programs that a block calls and that are not on its PATH."""
    words = {word.lstrip("$(") for command in block.commands for word in command.split()}
    missing = {program for program in _PROGRAMS & words if shutil.which(program, path=environment["PATH"]) is None}
    if environment.get("REAL_SAM") == "" and any(re.search(r"\bsam (?!build|deploy|delete)\w", command) for command in block.commands):
        missing.add("sam")
    return missing
