"""What a command leaves behind in this process is gone after its test."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """`coinfarm worker` sets variables for the worker that it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
