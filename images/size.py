"""The size of an image, and its limit."""

import zlib
from dataclasses import dataclass

import click

from images.docker import Docker

LIMITS_MB = {"lambda": 1_200, "gpu": 6_400, "gpu without CUDA": 400}
"""Target → the size limit without the base."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ImageSize:
    """The size of an image in MB (a million bytes)."""

    total_mb: float
    added_mb: float
    """Without its base."""

    def check(self, target: str) -> None:
        """Raise `click.ClickException` if the target exceeds its limit."""
        limit = LIMITS_MB[target]
        if self.added_mb > limit:
            raise click.ClickException(
                f"{target} adds {self.added_mb:.0f} MB to its base, more than the limit of {limit}: see images/size.py and images/trim.py"
            )


def measure(docker: Docker, image: str, base: str) -> ImageSize:
    """Measure an image with its base, both of which exist locally."""
    total = docker.size_bytes(image)
    return ImageSize(total / 1e6, (total - docker.size_bytes(base)) / 1e6)


def compressed_mb(docker: Docker, image: str) -> float:
    """The approximate size in a registry; takes half a minute per gigabyte."""
    compressor, size = zlib.compressobj(), 0
    with docker.archive(image) as archive:
        assert archive.stdout is not None
        while chunk := archive.stdout.read(_CHUNK_BYTES):
            size += len(compressor.compress(chunk))
    return (size + len(compressor.flush())) / 1e6
