"""The targets of attacks: the handler in this process with sockets disabled, or `coinfarm serve` in its own process."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_socket import disable_socket

from tests.attacks.serve_process import serving
from tests.unit.conftest import keras
from tests.unit.handler.conftest import api_event, broken_engine, container, engine_calls, folder, invoke, models, send

__all__ = [
    "api_event",
    "broken_engine",
    "container",
    "engine_calls",
    "folder",
    "invoke",
    "keras",
    "models",
    "send",
]


def pytest_runtest_setup(item):
    if not item.get_closest_marker("enable_socket"):
        disable_socket(allow_unix_socket=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`coinfarm serve` with the reference model in its own process; it must survive all tests of the module."""
    with serving(tmp_path_factory.mktemp("serve")) as process:
        yield process
        process.check_alive()


@pytest.fixture
def limit_memory():
    """A context manager `limit_memory(megabytes)`: within it, the peak memory of the process may grow by at most that."""

    @contextmanager
    def limit(max_mb):
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        before_kb = _status_kb("VmRSS")
        yield
        assert _status_kb("VmHWM") - before_kb < max_mb * 1024

    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("needs Linux' /proc")
    return limit


def _status_kb(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
