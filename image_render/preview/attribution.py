"""The effect of each group of candles on a prediction, as a panel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from image_render.preview.panel import Panel, Points
from image_render.preview.style import BORDER, CHART_BACKGROUND
from image_render.spec import STANDARD, FrameSpec

Effects = NDArray[np.float64]

_NONE = np.array(CHART_BACKGROUND, np.float64)
_RAISES = np.array([203, 92, 13], np.float64)
_LOWERS = np.array([94, 60, 153], np.float64)

_BARS_HEIGHT = 61  # odd, so that the zero line is in the middle
_STRIP_HEIGHT = 16
_GAP = 3
_COLOUR_BAR_WIDTH = 121


def attribution_panel(
    heading: str,
    effects: Effects,
    labels: Sequence[str],
    starts: Sequence[int],
    *,
    unit: str,
    scale: int = 4,
    spec: FrameSpec = STANDARD,
) -> Panel:
    """The effects `(rows, groups)` of groups of candles on one output: the last row as bars, the others as strips below them.

    Group i has the candles from `starts[i]` up to `starts[i + 1]`, or up to the end. The largest absolute effect has the full height and
    colour; the colour scale gives its value, in `unit`.

    Raises `ValueError` if effects, labels and starts do not match in length.
    """
    if effects.shape != (len(labels), len(starts)):
        raise ValueError(f"effects must have the shape {(len(labels), len(starts))}, not {effects.shape}")
    largest = float(np.abs(effects).max())
    shares = effects / largest if largest else np.zeros_like(effects)
    group_of_point, gaps = _columns(starts, scale, spec)

    bars = _bars(shares[-1][group_of_point])
    strips = [np.repeat(_colours(row[group_of_point])[None], _STRIP_HEIGHT, axis=0) for row in shares[:-1]]
    points = np.concatenate([bars, *(part for strip in strips for part in (_blank(len(group_of_point)), strip))])
    points[:, gaps] = _NONE.astype(np.uint8)
    points[_BARS_HEIGHT // 2] = BORDER

    middles = [_BARS_HEIGHT // 2, *(_BARS_HEIGHT + _GAP + _STRIP_HEIGHT // 2 + at * (_GAP + _STRIP_HEIGHT) for at in range(len(strips)))]
    return Panel(
        heading=heading,
        points=points,
        labels=tuple(zip(middles, (labels[-1], *labels[:-1]), strict=True)),
        colours=_colours(np.linspace(-1, 1, _COLOUR_BAR_WIDTH)),
        ends=(f"-{largest:.2g}", f"+{largest:.2g} {unit}"),
    )


def _columns(starts: Sequence[int], scale: int, spec: FrameSpec) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each point across: the index of its group, and whether it is the gap after the group, `(points,)` each."""
    candle = np.arange(spec.window_candles * scale) // scale
    group = np.searchsorted(np.asarray(starts), candle, side="right") - 1
    is_last = np.append(group[1:] != group[:-1], True)
    return group, is_last & (scale > 1)


def _bars(shares: Effects) -> Points:
    """Bars up and down from the middle, `(_BARS_HEIGHT, points, 3)`."""
    half = _BARS_HEIGHT // 2
    height = np.rint(shares * half)
    above = half - np.arange(_BARS_HEIGHT)[:, None]  # distance of a line above the middle
    filled = ((above > 0) & (above <= height)) | ((height <= above) & (above < 0))
    colours = np.where(shares[:, None] > 0, _RAISES, _LOWERS)
    return np.where(filled[..., None], colours, _NONE).astype(np.uint8)


def _colours(shares: Effects) -> Points:
    """Colours of effects from -1 (lowers) through 0 (none) to 1 (raises), `(n, 3)`."""
    share = shares[:, None]
    return np.rint(_NONE + np.abs(share) * (np.where(share > 0, _RAISES, _LOWERS) - _NONE)).astype(np.uint8)


def _blank(width: int) -> Points:
    return np.full((_GAP, width, 3), _NONE, np.uint8)
