"""What was promised, and whether it held."""

from typing import NamedTuple


class Promise(NamedTuple):
    """A promise in words, whether it was kept, and what was found."""

    text: str
    kept: bool
    found: str
