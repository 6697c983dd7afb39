"""What each group of candles does to a prediction, as panels for the page of a chart (`image_render.preview`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from image_render.spec import STANDARD, FrameSpec

Effects = NDArray[np.float64]
Points = NDArray[np.uint8]

_NONE = np.array([255, 255, 253], np.float64)
_RAISES = np.array([203, 92, 13], np.float64)
_LOWERS = np.array([94, 60, 153], np.float64)
_LINE: tuple[int, int, int] = (208, 203, 193)

_BARS_HEIGHT = 61  # odd, so that the line of no effect lies in the middle
_STRIP_HEIGHT = 16
_GAP = 3
_COLOUR_BAR_WIDTH = 121


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture under a chart, aligned with its candles.

    `points` are uint8 RGB `(height, window_candles * scale, 3)`; `labels` are what stands beside it, each with its middle's distance from
    the top; `colours` `(n, 3)` is a legend from the lowest value to the highest, between the labels `ends`.
    """

    heading: str
    points: Points
    labels: tuple[tuple[int, str], ...]
    colours: Points
    ends: tuple[str, str]


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
    """The effects `(rows, groups)` of groups of candles on one output: the last row as bars, those before it as strips below them.

    Group i is of the candles from `starts[i]` up to `starts[i + 1]`, or up to the end. Bars reach their full height, and colours their
    full strength, at the largest effect of the panel, up or down; the legend says how much that is, in `unit`.

    Raises `ValueError` where effects, labels and starts do not belong together.
    """
    if effects.shape != (len(labels), len(starts)):
        raise ValueError(f"effects of {len(labels)} rows and {len(starts)} groups have that shape, not {effects.shape}")
    largest = float(np.abs(effects).max())
    shares = effects / largest if largest else np.zeros_like(effects)
    group_of_point, gaps = _columns(starts, scale, spec)

    bars = _bars(shares[-1][group_of_point])
    strips = [np.repeat(_colours(row[group_of_point])[None], _STRIP_HEIGHT, axis=0) for row in shares[:-1]]
    points = np.concatenate([bars, *(part for strip in strips for part in (_blank(len(group_of_point)), strip))])
    points[:, gaps] = _NONE.astype(np.uint8)
    points[_BARS_HEIGHT // 2] = _LINE

    middles = [_BARS_HEIGHT // 2, *(_BARS_HEIGHT + _GAP + _STRIP_HEIGHT // 2 + at * (_GAP + _STRIP_HEIGHT) for at in range(len(strips)))]
    return Panel(
        heading=heading,
        points=points,
        labels=tuple(zip(middles, (labels[-1], *labels[:-1]), strict=True)),
        colours=_colours(np.linspace(-1, 1, _COLOUR_BAR_WIDTH)),
        ends=(f"-{largest:.2g}", f"+{largest:.2g} {unit}"),
    )


def _columns(starts: Sequence[int], scale: int, spec: FrameSpec) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Of each point across, the group that it belongs to; and whether it keeps two groups apart."""
    candle = np.arange(spec.window_candles * scale) // scale
    group = np.searchsorted(np.asarray(starts), candle, side="right") - 1
    is_last = np.append(group[1:] != group[:-1], True)
    return group, is_last & (scale > 1)


def _bars(shares: Effects) -> Points:
    """Bars up and down from the middle, `(_BARS_HEIGHT, points, 3)`."""
    half = _BARS_HEIGHT // 2
    height = np.rint(shares * half)
    above = half - np.arange(_BARS_HEIGHT)[:, None]  # how far above the middle a line lies
    filled = ((above > 0) & (above <= height)) | ((height <= above) & (above < 0))
    colours = np.where(shares[:, None] > 0, _RAISES, _LOWERS)
    return np.where(filled[..., None], colours, _NONE).astype(np.uint8)


def _colours(shares: Effects) -> Points:
    """From the colour of what lowers (-1) through none (0) to that of what raises (1), `(n, 3)`."""
    share = shares[:, None]
    return np.rint(_NONE + np.abs(share) * (np.where(share > 0, _RAISES, _LOWERS) - _NONE)).astype(np.uint8)


def _blank(width: int) -> Points:
    return np.full((_GAP, width, 3), _NONE, np.uint8)
