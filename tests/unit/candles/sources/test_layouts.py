"""Every layout of every source is read as the original, or rejected with the right words: none is silently wrong."""

import pytest

from coinfarm.candles.files import Reading
from tests.support.layout_page import LAYOUTS, PAGE, is_truth, page_with_table, read_layout
from tests.support.layout_rows import Layout


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.source}: {layout.shape}")
def test_is_read_or_rejected(layout: Layout) -> None:
    found = read_layout(layout)
    if layout.rejected is not None:
        assert isinstance(found, str), "it is read"
        assert layout.rejected in found
        assert found.isprintable()
        return
    assert isinstance(found, Reading), found
    assert is_truth(found)
    assert layout.noted is None or any(layout.noted in note for note in found.notes)


def test_there_are_many() -> None:
    assert len({(layout.source, layout.shape) for layout in LAYOUTS}) == len(LAYOUTS) >= 100


def test_the_page_has_the_table() -> None:
    page = PAGE.read_text()
    assert page_with_table(page) == page, "run python -m tests.support.layout_page"
