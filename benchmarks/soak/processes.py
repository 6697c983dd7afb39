"""Processes of `coinfarm` that know no AWS but a stand-in."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from coinfarm.demo.environment import isolated_environment
from coinfarm.errors import CoinfarmError

_COMMAND = "from coinfarm.cli import main; main(prog_name='coinfarm')"
_PATIENCE_S = 60


def environment_at(endpoint: str) -> dict[str, str]:
    """Of whatever shall speak to the stand-in at `endpoint`, and to no other AWS."""
    return {**isolated_environment(os.environ), "AWS_ENDPOINT_URL": endpoint}


@contextmanager
def inside(environment: Mapping[str, str]) -> Iterator[None]:
    """Let this process itself speak to what the environment names."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def start(arguments: tuple[str, ...], log: Path, settings: Mapping[str, object]) -> "subprocess.Popen[bytes]":
    """`coinfarm ARGUMENTS` in this process's environment and the settings, writing to a log."""
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    with log.open("wb") as output:
        command = [sys.executable, "-c", _COMMAND, *arguments]
        return subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Asks it to end, and makes it."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def line_with(text: str, log: Path, process: "subprocess.Popen[bytes]") -> str:
    """The first line of a log with the text in it, once it is written. Raises `CoinfarmError` where the process ends before."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if text in line:
                return line
        time.sleep(0.05)
    raise CoinfarmError(f"{log} never said {text!r}; it ends: {log.read_text(errors='replace')[-1000:]}")
