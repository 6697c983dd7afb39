"""Resamples as weights, compared with resampling the days themselves."""

import numpy as np

from coinfarm.bootstrap.resampling import cosine_transforms, resampling_weights


def test_transforms_are_orthonormal_and_do_not_see_the_mean() -> None:
    transforms = cosine_transforms(5, 40)
    np.testing.assert_allclose(transforms @ transforms.T, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(transforms.sum(axis=1), 0, atol=1e-12)


def test_weights_give_the_sums_and_transforms_of_resampled_days() -> None:
    values = np.random.default_rng(1).normal(size=11)
    found = resampling_weights(3, 11, 4, 20, (7, 0)) @ values
    starts = np.random.default_rng((7, 0)).integers(11, size=(20, 3))
    for row, start in zip(found, starts, strict=True):
        resampled = values[np.concatenate([(first + np.arange(4)) % 11 for first in start])[:11]]
        np.testing.assert_allclose(row, [resampled.sum(), *(cosine_transforms(3, 11) @ resampled)])
