"""Files with changed bytes."""

from collections.abc import Iterator, Sequence

import numpy as np


def damaged_copies(data: bytes, places: Sequence[int], count: int = 300) -> Iterator[bytes]:
    """Copies of the data with other bytes at three of the places, the same in each run."""
    random = np.random.default_rng(1)
    for _ in range(count):
        damaged = bytearray(data)
        for at in random.choice(places, size=3):
            damaged[at] = random.integers(256)
        yield bytes(damaged)
