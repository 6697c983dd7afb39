"""Labels of points in a plot that cover neither each other nor the points nor the legend."""

from collections.abc import Iterable
from math import cos, pi, sin
from typing import Any

Point = tuple[float, float, str]
_DISTANCES = (9, 16, 26, 40)
_DIRECTIONS = [number * pi / 8 for number in range(16)]
_POINT_RADIUS = 7


def place_labels(figure: Any, panel: Any, points: Iterable[Point], fontsize: int = 8) -> list[Any]:
    """Write each point's text at the nearest free place, with a line to the point if that is not next to it.

    The limits of the axes must not change afterwards. A point without text is only kept free. Returns the texts.
    """
    from matplotlib.transforms import Bbox

    points = list(points)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    taken = []
    for x, y, _ in points:
        at_x, at_y = panel.transData.transform((x, y))
        taken.append(Bbox.from_extents(at_x - _POINT_RADIUS, at_y - _POINT_RADIUS, at_x + _POINT_RADIUS, at_y + _POINT_RADIUS))
    if (legend := panel.get_legend()) is not None:
        taken.append(legend.get_window_extent(renderer))
    texts = []
    for x, y, text in points:
        if text:
            label = panel.annotate(text, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=fontsize, va="center", ha="center")
            place, is_near = _first_free_place(label, panel, taken, renderer, figure.dpi)
            if not is_near:
                panel.annotate("", (x, y), xytext=place, textcoords="offset points", arrowprops={"arrowstyle": "-", "lw": 0.5})
            taken.append(label.get_window_extent(renderer))
            texts.append(label)
    return texts


def _first_free_place(label: Any, panel: Any, taken: list[Any], renderer: Any, dpi: float) -> tuple[tuple[float, float], bool]:
    """Move the label to the first free place; return the place, an offset in points, and whether it is next to the label's point."""
    size = label.get_window_extent(renderer)
    half_width, half_height = size.width * 36 / dpi, size.height * 36 / dpi
    place = (0.0, 0.0)
    for distance in _DISTANCES:
        for angle in _DIRECTIONS:
            place = (cos(angle) * (distance + half_width), sin(angle) * (distance + half_height))
            label.set_position(place)
            box = label.get_window_extent(renderer)
            if _is_inside(box, panel.bbox) and not any(box.overlaps(other) for other in taken):
                return place, distance == _DISTANCES[0]
    return place, False


def _is_inside(box: Any, outer: Any) -> bool:
    return bool(box.x0 >= outer.x0 and box.x1 <= outer.x1 and box.y0 >= outer.y0 and box.y1 <= outer.y1)
