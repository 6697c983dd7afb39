"""Unit tests have no network, except those with `@pytest.mark.enable_socket`."""

import time
import warnings

import pytest
from pytest_socket import disable_socket


def pytest_runtest_setup(item):
    if not item.get_closest_marker("enable_socket"):
        disable_socket(allow_unix_socket=True)


@pytest.fixture(scope="session")
def keras():
    """Keras on TensorFlow, imported when the first test needs it, because that takes seconds."""
    from coinfarm.engines.startup_logs import suppress_startup_logs

    with suppress_startup_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
        import tensorflow  # noqa: F401
    return keras


@pytest.fixture
def tokyo(monkeypatch):
    """A machine in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()
