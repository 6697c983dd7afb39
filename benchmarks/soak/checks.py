"""The checks of a soak test."""

from typing import NamedTuple


class Check(NamedTuple):
    """A requirement, whether it was met, and the measurement."""

    name: str
    passed: bool
    measured: str
