"""How large an image may be."""

import click
import pytest

from images.size import LIMITS_MB, Size


@pytest.mark.parametrize("target", ["lambda", "gpu"])
def test_an_image_at_its_limit_passes(target: str) -> None:
    Size(total_mb=9_000, added_mb=LIMITS_MB[target]).check(target)


@pytest.mark.parametrize("target", ["lambda", "gpu"])
def test_a_larger_one_is_refused(target: str) -> None:
    with pytest.raises(
        click.ClickException, match=f"^{target} adds {LIMITS_MB[target] + 1} MB to its base, and may add {LIMITS_MB[target]}"
    ):
        Size(total_mb=9_000, added_mb=LIMITS_MB[target] + 1).check(target)
