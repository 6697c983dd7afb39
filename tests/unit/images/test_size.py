import click
import pytest

from images.size import LIMITS_MB, ImageSize


@pytest.mark.parametrize("target", LIMITS_MB)
def test_an_image_may_be_as_large_as_its_limit(target):
    ImageSize(total_mb=9_000, added_mb=LIMITS_MB[target]).check(target)
    with pytest.raises(click.ClickException, match=rf"^{target} .*{LIMITS_MB[target] + 1} MB.* {LIMITS_MB[target]}\b"):
        ImageSize(total_mb=9_000, added_mb=LIMITS_MB[target] + 1).check(target)
