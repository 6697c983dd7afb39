"""Every layout of every source is read as the original, or rejected with the right words: none is silently wrong."""

from dataclasses import replace
from random import Random

import pytest

from coinfarm.candles.candles import Candles
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


def test_damage_to_any_layout_is_rejected_in_words() -> None:
    """Whatever a disk or a network does, the result is valid candles or a printable message."""
    random = Random(1)
    for layout in [layout for layout in LAYOUTS for _ in range(6) if layout.data]:
        damaged = bytearray(layout.data)
        start = random.randrange(len(damaged))
        if random.random() < 0.5:
            damaged[start] = random.randrange(256)
        else:
            del damaged[start : start + random.randrange(1, 60)]
        found = read_layout(replace(layout, data=bytes(damaged)))
        if isinstance(found, str):
            assert found.isprintable()
        else:
            candles = found.candles
            Candles.checked(candles.symbol, candles.interval, candles.open_time, candles.columns)
