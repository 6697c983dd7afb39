"""How large an image may be."""

import click
import pytest

from images.size import LIMITS_MB, Size


@pytest.mark.parametrize("image", LIMITS_MB)
def test_an_image_at_its_limit_passes(image: str) -> None:
    Size(total_mb=9_000, added_mb=LIMITS_MB[image]).check(image)


@pytest.mark.parametrize("image", LIMITS_MB)
def test_a_larger_one_is_refused(image: str) -> None:
    with pytest.raises(click.ClickException, match=f"^{image} adds {LIMITS_MB[image] + 1} MB to its base, and may add {LIMITS_MB[image]}"):
        Size(total_mb=9_000, added_mb=LIMITS_MB[image] + 1).check(image)
