"""`coinfarm` processes that use a mock of AWS."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from coinfarm.demo.environment import COMMAND_CODE, isolated_environment
from coinfarm.errors import CoinfarmError

_TIMEOUT_S = 60


def environment_at(endpoint: str) -> dict[str, str]:
    """Environment variables for processes that use the mock of AWS at `endpoint`, never the real AWS."""
    return {**isolated_environment(os.environ), "AWS_ENDPOINT_URL": endpoint}


@contextmanager
def environment_variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Replace the environment variables of this process."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def start(arguments: tuple[str, ...], log: Path, settings: Mapping[str, object]) -> "subprocess.Popen[bytes]":
    """Start `coinfarm ARGUMENTS` with this process's environment and the settings. Output goes to the log."""
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    with log.open("wb") as output:
        command = [sys.executable, "-c", COMMAND_CODE, *arguments]
        return subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)


@contextmanager
def terminated(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Terminate the process at exit, and kill it if that takes too long."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_log_line(text: str, log: Path, process: "subprocess.Popen[bytes]") -> str:
    """Wait for the first line of the log that contains the text. Raises `CoinfarmError` if the process ends before."""
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if text in line:
                return line
        time.sleep(0.05)
    raise CoinfarmError(f"{log} does not contain {text!r}; it ends with: {log.read_text(errors='replace')[-1000:]}")
