import re

import numpy as np
import pytest
from numpy.typing import NDArray

from image_render.preview.attribution import attribution_panel
from image_render.preview.panel import Panel
from image_render.spec import FrameSpec

SMALL = FrameSpec(window_candles=4, price_rows=5)
NONE, RAISES, LOWERS, LINE = (255, 255, 253), (203, 92, 13), (94, 60, 153), (208, 203, 193)
MIDDLE = 30


def _panel(effects: list[list[float]], starts: tuple[int, ...] = (0, 1, 2, 3), scale: int = 1) -> Panel:
    labels = ("body", "all")[-len(effects) :]
    return attribution_panel("rise", np.array(effects), labels, starts, unit="points", scale=scale, spec=SMALL)


def _is(points: NDArray[np.uint8], colour: tuple[int, int, int]) -> list[bool]:
    same: list[bool] = np.all(points == colour, axis=-1).tolist()
    return same


def test_bars_reach_up_and_down_as_far_as_their_effects() -> None:
    points = _panel([[0.2, -0.1, 0.0, 0.05]]).points
    heights = {colour: np.all(points == colour, axis=2).sum(axis=0).tolist() for colour in (RAISES, LOWERS)}
    assert heights == {RAISES: [30, 0, 0, 8], LOWERS: [0, 15, 0, 0]}
    assert _is(points[0], RAISES) == [True, False, False, False]
    assert _is(points[MIDDLE + 15], LOWERS) == [False, True, False, False]
    assert all(_is(points[MIDDLE], LINE))


def test_the_colour_of_a_strip_grows_with_the_effect() -> None:
    panel = _panel([[-0.2, 0.1, 0.0, 0.2], [0, 0, 0, 0]])
    strip = panel.points[panel.labels[1][0]]
    assert [tuple(point) for point in strip.tolist()] == [LOWERS, (229, 174, 133), NONE, RAISES]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_groups_are_as_wide_as_their_candles_and_separated(scale: int) -> None:
    panel = _panel([[0.1, 0.1], [0, 0]], starts=(0, 3), scale=scale)
    gap = [False] if scale > 1 else [True]
    expected = [True] * (3 * scale - 1) + gap + [True] * (scale - 1) + gap
    assert _is(panel.points[panel.labels[1][0]], RAISES) == expected


def test_the_legend_says_what_the_strongest_colour_means() -> None:
    panel = _panel([[0.0, 0.0123, -0.0456, 0.0]])
    assert panel.ends == ("-0.046", "+0.046 points")
    assert [tuple(panel.colours[at].tolist()) for at in (0, len(panel.colours) // 2, -1)] == [LOWERS, NONE, RAISES]


def test_no_effect_at_all_is_an_empty_panel() -> None:
    panel = _panel([[0, 0, 0, 0], [0, 0, 0, 0]])
    assert all(_is(np.delete(panel.points, MIDDLE, axis=0).reshape(-1, 3), NONE))
    assert panel.ends == ("-0", "+0 points")


@pytest.mark.parametrize("shape", [(1, 3), (2, 4)])
def test_rejects_effects_of_another_shape(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        attribution_panel("rise", np.zeros(shape), ["all"], [0, 1, 2, 3], unit="points", spec=SMALL)
