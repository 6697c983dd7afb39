"""The targets of attacks: the handler in this process with sockets disabled, or `coinfarm serve` in its own process."""

import os
from functools import partial

import pytest
from pytest_socket import disable_socket

from tests.support.serve_process import limit_memory, serving
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


@pytest.fixture(name="limit_memory")
def limit_memory_of_this_process():
    """A context manager `limit_memory(megabytes)`: within it, the peak memory of the process may grow by at most that."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("needs Linux' /proc")
    return partial(limit_memory, "self")
