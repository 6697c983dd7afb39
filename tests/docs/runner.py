"""Runs the blocks of a page in order, and fails or skips the test accordingly.

Each block has its own bash process; `_SCRIPT` passes variables, functions and the working folder on to the next. Python blocks in a row
share a process.
"""

import contextlib
import fcntl
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from tests.docs.not_run import without_skipped_commands
from tests.docs.pages import Block

TIMEOUT_S = 120
_LISTENS_WITHIN_S, _ENDS_WITHIN_S = 60, 10
_PORT_FREE_WITHIN_S = 20
_MAX_OUTPUT_LINES = 40
_RESTORE_SIGINT = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
"""Commands of a background job, such as a step of .ci/run, ignore SIGINT unless it is restored."""
_SCRIPT = """
source {state} 2>/dev/null  # some of bash's own variables cannot be assigned
set -euo pipefail
trap 'printf "exit status %s of line %s: %s\\n" "$?" "$LINENO" "$BASH_COMMAND" >&2' ERR
{errexit}
{command}
_status=$?
{{ declare -p; declare -f; printf 'cd %q\\n' "$PWD"; }} >{state}.new
exit $_status
"""


class PageRun:
    """A context manager that ends all started processes at its end. `logs` is an empty folder."""

    def __init__(self, folder: Path, environment: dict[str, str], logs: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._folder, self._environment, self._logs, self._timeout_s = folder, environment, logs, timeout_s
        self._state = logs / "state.sh"
        self._state.touch()
        self._servers: list[tuple[Block, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> "PageRun":
        return self

    def __exit__(self, *_: object) -> None:
        for _, server in self._servers:
            _signal(server, signal.SIGINT)
        for _, server in self._servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(_ENDS_WITHIN_S)
            _kill(server)

    def run(self, block: Block) -> None:
        """Run a block, or start a server. The test fails if the block fails, does not end in time, or a server has exited."""
        if block.is_background:
            self._serve(block)
        else:
            self._run(block)
        for server_block, server in self._servers:
            if server.poll() is not None:
                self._fail(server_block, "the server exited")

    def _run(self, block: Block) -> None:
        process = self._start(block)
        try:
            status = process.wait(self._timeout_s)
        except subprocess.TimeoutExpired:
            self._fail(block, f"did not end within {self._timeout_s:.0f} s")
        finally:
            _kill(process)
        written = self._state.with_name(f"{self._state.name}.new")
        if status != block.exit_status or not written.exists():  # `exit` in a block ends its process before the state is written
            self._fail(block, f"exit status {status} instead of {block.exit_status}" if status else "the block exits")
        written.replace(self._state)

    def _serve(self, block: Block) -> None:
        deadline = time.monotonic() + _PORT_FREE_WITHIN_S
        while _is_listening(block.port):
            if time.monotonic() > deadline:
                pytest.skip(f"{block.place}: port {block.port} is in use by another program")
            time.sleep(0.5)
        server = self._start(block)
        self._servers.append((block, server))
        deadline = time.monotonic() + _LISTENS_WITHIN_S
        while block.port is not None and not _is_listening(block.port) and server.poll() is None:
            if time.monotonic() > deadline:
                self._fail(block, f"nothing listens on port {block.port} after {_LISTENS_WITHIN_S} s")
            time.sleep(0.1)

    def _start(self, block: Block) -> subprocess.Popen[bytes]:
        path = self._logs / str(block.line) / block.page
        path.parent.mkdir(parents=True)
        path.write_text("\n" * (block.line - 1) + block.text)  # errors have the line numbers of the page
        command = f"{'python' if block.language == 'python' else 'source'} {shlex.quote(str(path))}"
        script = _SCRIPT.format(state=shlex.quote(str(self._state)), command=command, errexit="set +e" if block.exit_status else "")
        with self._log(block).open("wb") as log:
            return subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-c", script],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_RESTORE_SIGINT,
            )

    def _log(self, block: Block) -> Path:
        return self._logs / f"{block.line}.log"

    def _fail(self, block: Block, reason: str) -> NoReturn:
        text = f"{block.place}: {reason}\n\n{block.text}\n"
        for place, each in [("Its output", block), *((f"The server {server.place}", server) for server, _ in self._servers)]:
            output = self._log(each).read_text(errors="replace").splitlines()[-_MAX_OUTPUT_LINES:]
            text += "\n".join([f"{place}, at most the last {_MAX_OUTPUT_LINES} lines:", *output, ""])
        pytest.fail(text, pytrace=False)


def run_blocks(blocks: Iterable[Block], folder: Path, environment: dict[str, str], logs: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Run blocks in order, without the skipped ones."""
    blocks = _with_joined_python(without_skipped_commands(block) for block in blocks if block.is_run)
    has_server = any(block.is_background for block in blocks)
    with _exclusive_use_of_ports() if has_server else contextlib.nullcontext(), PageRun(folder, environment, logs, timeout_s) as run:
        for block in blocks:
            run.run(block)


def _with_joined_python(blocks: Iterable[Block]) -> list[Block]:
    """The blocks, with Python blocks in a row joined; lines keep their numbers."""
    joined: list[Block] = []
    for block in blocks:
        if joined and joined[-1].language == block.language == "python":
            last = joined.pop()
            empty_lines = "\n" * (block.line - last.line - last.text.count("\n"))
            block = replace(last, text=last.text + empty_lines + block.text)
        joined.append(block)
    return joined


def _is_listening(port: int | None) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return port is not None and client.connect_ex(("127.0.0.1", port)) == 0


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _kill(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _exclusive_use_of_ports() -> Iterator[None]:
    """Two pages may use the same port."""
    with Path(tempfile.gettempdir(), f"coinfarm-docs-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
