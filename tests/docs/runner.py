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

from tests.docs.not_run import without_skipped_commands
from tests.docs.pages import Block
from tests.docs.shell import BlockFailed, Shell

TIMEOUT_S = 120
_LISTENS_WITHIN_S = 60
_PORT_FREE_WITHIN_S = 20
_INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR", "TZ", "USER")
_PROGRAMS = {"aws", "curl", "docker", "git", "sam"}
"""Programs that pages call and that neither the system nor `make develop` provides."""
_UNREACHABLE = "http://127.0.0.1:9"
_LOCK = Path(tempfile.gettempdir()) / f"coinfarm-docs-{os.getuid()}.lock"


class PortTaken(Exception):
    """Another program on this machine uses the port of a page's server."""


def page_environment(
    copy: Path, home: Path, programs: Path | None = None, machine_path: str = os.environ["PATH"], **variables: str
) -> dict[str, str]:
    """The environment variables of a page: an empty home, the copy's code, no AWS and no internet.

    pip only checks whether it could install packages. `programs` is a folder that comes first on the PATH; `variables` are set too.
    """
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


def run_blocks(blocks: Iterable[Block], copy: Path, environment: dict[str, str], logs: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Run blocks in order. Raises `BlockFailed` for the first that fails, and `PortTaken` if the port of a server is in use."""
    blocks = [without_skipped_commands(block) for block in blocks if block.is_run]
    has_server = any(block.is_background for block in blocks)
    with _exclusive_use_of_ports(has_server), Shell(copy, environment, logs) as shell:
        for block in blocks:
            if block.is_background:
                _start(shell, block)
            else:
                shell.run(block, timeout_s)
            shell.check_background()


def missing_tools(block: Block, environment: dict[str, str]) -> set[str]:
    """The external programs that a block calls and that are not on its PATH."""
    words = {word.lstrip("$(") for command in block.commands for word in command.split()}
    missing = {program for program in _PROGRAMS & words if shutil.which(program, path=environment["PATH"]) is None}
    if environment.get("REAL_SAM") == "" and any(re.search(r"\bsam (?!build|deploy|delete)\w", command) for command in block.commands):
        missing.add("sam")
    return missing


def _start(shell: Shell, block: Block) -> None:
    deadline = time.monotonic() + _PORT_FREE_WITHIN_S
    while block.port is not None and _is_listening(block.port):
        if time.monotonic() < deadline:
            time.sleep(0.5)
            continue
        raise PortTaken(f"{block.place}: port {block.port} is in use by another program")
    shell.start(block)
    deadline = time.monotonic() + _LISTENS_WITHIN_S
    while block.port is not None and not _is_listening(block.port):
        shell.check_background()
        if time.monotonic() > deadline:
            raise BlockFailed(block, f"nothing listens on port {block.port} after {_LISTENS_WITHIN_S} s", shell.output(block))
        time.sleep(0.1)


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _exclusive_use_of_ports(is_needed: bool) -> Iterator[None]:
    """Two pages may use the same port."""
    if not is_needed:
        yield
        return
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
