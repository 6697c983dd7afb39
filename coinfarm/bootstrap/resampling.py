"""Circular block resamples of a series of days, as weights: sums over a resample are products with the original days."""

from functools import lru_cache
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


def cosine_transforms(count: int, days: int) -> Weights:
    """The first `count` cosines `(count, days)`: orthonormal, and orthogonal to a constant."""
    frequency = np.arange(1, count + 1)[:, None]
    cosines: Weights = sqrt(2.0 / days) * np.cos(pi * frequency * (np.arange(days) + 0.5) / days)
    return cosines


@lru_cache(maxsize=4)
def resampling_weights(transforms: int, days: int, block: int, samples: int, seed: tuple[int, int]) -> Weights:
    """`(samples, 1 + transforms, days)`: the weights with which each original day enters the sum and the transforms of a resample.

    Days are resampled in blocks of `block` neighbours, the last block truncated. A block that begins near the end continues at the
    beginning (Politis and Romano 1992, "A circular block-resampling procedure for stationary data"). The weights do not depend on the
    values, so all series of the same length share them.
    """
    start = np.random.default_rng(seed).integers(days, size=(samples, -(-days // block), 1))
    day = ((start + np.arange(block)) % days).reshape(samples, -1)[:, :days]
    cell = (np.arange(samples)[:, None] * days + day).ravel()
    rows = np.vstack([np.ones(days), cosine_transforms(transforms, days)])
    return np.stack([np.bincount(cell, np.tile(row, samples), samples * days).reshape(samples, days) for row in rows], axis=1)
