"""What an attacker meets: the handler in this process, sockets closed, or `coinfarm serve` in one of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pytest_socket import disable_socket

from tests.attacks.serve_process import ServeProcess, serving
from tests.unit.conftest import keras
from tests.unit.handler.conftest import api_event, ask, broken_engine, container, engine_calls, folder, invoke, models

__all__ = ["api_event", "ask", "broken_engine", "container", "engine_calls", "folder", "invoke", "keras", "models"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not item.get_closest_marker("enable_socket"):
        disable_socket(allow_unix_socket=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """`coinfarm serve` over the reference model, a process of its own; it must outlive the module."""
    with serving(tmp_path_factory.mktemp("serve")) as process:
        yield process
        process.check_alive()


@pytest.fixture
def little_memory() -> Callable[[int], AbstractContextManager[None]]:
    """While `little_memory(megabytes)` is open, the process's memory may reach a new peak by no more than that."""

    @contextmanager
    def bounded(max_mb: int) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
        before_kb = _status_kb("VmRSS")
        yield
        assert _status_kb("VmHWM") - before_kb < max_mb * 1024

    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the peak of a process's memory is read from Linux's /proc")
    return bounded


def _status_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
