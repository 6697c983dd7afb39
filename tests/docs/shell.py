"""One bash process and one Python process that run the blocks of a page in order and keep variables and the working folder."""

import contextlib
import json
import os
import select
import shlex
import signal
import subprocess
import time
from pathlib import Path

from tests.docs.pages import Block

_PRELUDE = """set -euo pipefail
trap 'printf "%s\\n" "exit status $? of line $LINENO: $BASH_COMMAND" >&2' ERR
"""
_MAX_OUTPUT_LINES = 40
_END_TIMEOUT_S = 10
_PYTHON_SESSION = Path(__file__).with_name("python_session.py")


class BlockFailed(Exception):
    """A block failed. The message has its place, its text and its output."""

    def __init__(self, block: Block, reason: str, output: str) -> None:
        text = "".join(f"    {line}\n" for line in block.text.splitlines())
        shown = "".join(f"    {line}\n" for line in output.splitlines()[-_MAX_OUTPUT_LINES:]) or "    (nothing)\n"
        super().__init__(f"{block.place}: {reason}\n\n{text}\nIts output, at most the last {_MAX_OUTPUT_LINES} lines:\n{shown}")


class Shell:
    """A context manager that ends all started processes at its end. `folder` is the working folder, `logs` an empty one."""

    def __init__(self, folder: Path, environment: dict[str, str], logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self._folder = str(folder)
        self._reports, report = os.pipe()
        self._pending = b""
        self._background: list[tuple[Block, int]] = []
        self._python: subprocess.Popen[str] | None = None
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[report],
            start_new_session=True,
            text=True,
        )
        os.close(report)
        self._report = report
        self._send(_PRELUDE)

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        for _, group in self._background:
            _end_group(group, signal.SIGINT)
        if self._python is not None:
            _end_group(self._python.pid, signal.SIGKILL)
            self._python.wait()
            for pipe in (self._python.stdin, self._python.stdout):
                assert pipe is not None
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        _end_group(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        assert self._bash.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._bash.stdin.close()
        os.close(self._reports)

    def run(self, block: Block, timeout_s: float) -> None:
        """Run a block. Raises `BlockFailed` if it fails or does not end in time."""
        if block.language == "python":
            self._run_python(block, timeout_s)
            return
        log = self._log(block)
        source = f"source {self._script(block)} </dev/null >{shlex.quote(str(log))} 2>&1 {self._report}>&-"
        source = f"set +e; {source}; status=$?; set -e" if block.exit_status else f"{source}; status=0"
        self._send(f'{source}; printf "%s %s\\n" "$status" "$PWD" >&{self._report}\n')
        report = self._wait_for_report(time.monotonic() + timeout_s)
        if report is None:
            ended = self._bash.poll()
            raise self._failure(block, f"did not end within {timeout_s:.0f} s" if ended is None else f"exit status {ended}")
        status, _, self._folder = report.partition(" ")
        if int(status) != block.exit_status:
            raise self._failure(block, f"exit status {status} instead of {block.exit_status}")

    def start(self, block: Block) -> None:
        """Start a server, which runs until the end of the shell."""
        log = shlex.quote(str(self._log(block)))
        self._send(f"set -m; {{ source {self._script(block)}; }} </dev/null >{log} 2>&1 {self._report}>&- &\nset +m\n")
        self._send(f'printf "%s\\n" "$!" >&{self._report}\n')
        report = self._wait_for_report(time.monotonic() + _END_TIMEOUT_S)
        assert report is not None
        self._background.append((block, int(report)))

    def check_background(self) -> None:
        """Raises `BlockFailed` if a server has exited."""
        for block, group in self._background:
            if not _is_alive(group):
                raise self._failure(block, "the server exited")

    def output(self, block: Block) -> str:
        """The output of a block so far."""
        log = self._log(block)
        return log.read_text(errors="replace") if log.exists() else ""

    def _run_python(self, block: Block, timeout_s: float) -> None:
        if self._python is None:
            self._python = subprocess.Popen(
                ["python", str(_PYTHON_SESSION)],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                text=True,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        message = {"script": block.script, "page": block.page, "log": str(self._log(block)), "folder": self._folder}
        with contextlib.suppress(BrokenPipeError):
            self._python.stdin.write(json.dumps(message) + "\n")
            self._python.stdin.flush()
        if not select.select([self._python.stdout], [], [], timeout_s)[0]:
            raise self._failure(block, f"did not end within {timeout_s:.0f} s")
        outcome = self._python.stdout.readline().strip()
        if outcome != "done":
            raise self._failure(block, outcome or f"exit status {self._python.wait()}")

    def _failure(self, block: Block, reason: str) -> BlockFailed:
        output = self.output(block)
        for server, _ in self._background:
            if server is not block and self.output(server):
                output += f"\n--- {server.place}, a server:\n" + "\n".join(self.output(server).splitlines()[-10:])
        return BlockFailed(block, reason, output)

    def _script(self, block: Block) -> str:
        path = self._logs / f"{block.line}" / block.page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.script)
        return shlex.quote(str(path))

    def _log(self, block: Block) -> Path:
        return self._logs / f"{block.page.replace('/', '-')}-{block.line}.log"

    def _send(self, text: str) -> None:
        assert self._bash.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # _wait_for_report notices it
            self._bash.stdin.write(text)
            self._bash.stdin.flush()

    def _wait_for_report(self, deadline: float) -> str | None:
        """The next report of the shell; None if the shell has exited or the deadline has passed."""
        while b"\n" not in self._pending:
            wait_s = deadline - time.monotonic()
            if wait_s <= 0 or not select.select([self._reports], [], [], wait_s)[0]:
                return None
            found = os.read(self._reports, 65_536)
            if not found:
                self._bash.wait()
                return None
            self._pending += found
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _end_group(group: int, first: signal.Signals) -> None:
    """Send a signal to the processes, and kill those that do not end."""
    deadline = time.monotonic() + _END_TIMEOUT_S
    number = first
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(group, number)
            if number == signal.SIGKILL:
                return
            while _is_alive(group) and time.monotonic() < deadline:
                time.sleep(0.05)
            number = signal.SIGKILL
