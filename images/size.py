"""How large an image is, and may be."""

import zlib
from dataclasses import dataclass

import click

from images.docker import Docker

LIMITS_MB = {"lambda": 1_200, "gpu": 6_400, "gpu without CUDA": 400}
"""What an image may add to its base."""

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Size:
    """Of an image, in MB of a million bytes."""

    total_mb: float
    added_mb: float
    """To its base."""

    def check(self, target: str) -> None:
        """Raises `click.ClickException` where the target has added more than it may."""
        limit = LIMITS_MB[target]
        if self.added_mb > limit:
            raise click.ClickException(
                f"{target} adds {self.added_mb:.0f} MB to its base, and may add {limit}: see images/size.py and images/trim.py"
            )


def measure(docker: Docker, image: str, base: str) -> Size:
    """Of an image and its base, both built or pulled."""
    total = docker.size_bytes(image)
    return Size(total / 1e6, (total - docker.size_bytes(base)) / 1e6)


def compressed_mb(docker: Docker, image: str) -> float:
    """About what a registry stores and a machine pulls; takes half a minute a gigabyte."""
    squeezer, size = zlib.compressobj(), 0
    with docker.archive(image) as archive:
        assert archive.stdout is not None
        while piece := archive.stdout.read(_PIECE_BYTES):
            size += len(squeezer.compress(piece))
    return (size + len(squeezer.flush())) / 1e6
