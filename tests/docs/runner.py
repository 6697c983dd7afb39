"""Runs a page's blocks in a fresh copy of the repository."""

import fcntl
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.not_run import without_commands_left_out
from tests.docs.pages import Block
from tests.docs.shell import BlockFailed, Shell

TIMEOUT_S = 120
_LISTENS_WITHIN_S = 60
_PORT_FREE_WITHIN_S = 20
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR", "TZ", "USER")
_PROGRAMS = {"aws", "curl", "docker", "git", "sam"}
"""That a page may call, and that come with neither the system nor `make develop`."""
_NOWHERE = "http://127.0.0.1:9"
_LOCK = Path(tempfile.gettempdir()) / f"coinfarm-docs-{os.getuid()}.lock"


class PortTaken(Exception):
    """Another program of this machine listens where a page's server should."""


def page_environment(
    copy: Path, home: Path, programs: Path | None = None, machine_path: str = os.environ["PATH"], **variables: str
) -> dict[str, str]:
    """What a page's commands find: a home that is empty, the copy's code, and neither AWS nor the internet.

    pip only checks whether what a page installs could be installed. `variables` are set besides; `programs` is a folder of programs that
    go before the machine's own.
    """
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **found,
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, filter(None, (programs, copy / ".venv/bin", machine_path)))),
        "PYTHONPATH": str(copy),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_DRY_RUN": "1",
        "PIP_NO_INDEX": "1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": _NOWHERE,
        "https_proxy": _NOWHERE,
        "http_proxy": _NOWHERE,
        "no_proxy": "127.0.0.1,localhost",
        "SAM_CLI_TELEMETRY": "0",
        **variables,
    }


def run_blocks(blocks: Iterable[Block], copy: Path, environment: dict[str, str], logs: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Run them in order. Raises `BlockFailed` for the first that fails, `PortTaken` where a server's port is in use before."""
    blocks = [without_commands_left_out(block) for block in blocks if block.is_run]
    has_server = any(block.is_background for block in blocks)
    with _alone_on_this_machine(has_server), Shell(copy, environment, logs) as shell:
        for block in blocks:
            if block.is_background:
                _start(shell, block)
            else:
                shell.run(block, timeout_s)
            shell.check_background()


def missing_tools(block: Block, environment: dict[str, str]) -> set[str]:
    """Commands of others that the block calls, and that are not on its PATH."""
    words = {word.lstrip("$(") for command in block.commands for word in command.split()}
    missing = {program for program in _PROGRAMS & words if shutil.which(program, path=environment["PATH"]) is None}
    if environment.get("REAL_SAM") == "" and any(re.search(r"\bsam (?!build|deploy|delete)\w", command) for command in block.commands):
        missing.add("sam")
    return missing


def _start(shell: Shell, block: Block) -> None:
    deadline = time.monotonic() + _PORT_FREE_WITHIN_S
    while block.port is not None and _listens(block.port):
        if time.monotonic() < deadline:
            time.sleep(0.5)
            continue
        raise PortTaken(f"{block.place}: port {block.port} of this machine is in use by another program")
    shell.start(block)
    deadline = time.monotonic() + _LISTENS_WITHIN_S
    while block.port is not None and not _listens(block.port):
        shell.check_background()
        if time.monotonic() > deadline:
            raise BlockFailed(block, f"nothing listens on port {block.port} after {_LISTENS_WITHIN_S} s", shell.output(block))
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _alone_on_this_machine(is_needed: bool) -> Iterator[None]:
    """Two pages may want the same port."""
    if not is_needed:
        yield
        return
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
