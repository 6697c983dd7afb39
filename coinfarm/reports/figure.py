"""Plots as inline SVG, in one style, in the colours of the page."""

import re
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any

from coinfarm.reports.jinja_template import render
from coinfarm.reports.packages import require_report_packages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HALF = (4.9, 3.2)
"""Inches, for one of two figures side by side."""
WIDE = (10.0, 3.2)

# Placeholders for the colours of the page, which differ in light and dark mode: figure_svg replaces them by CSS variables.
INK, MUTED, GRID, SURFACE = "#010101", "#020202", "#030303", "#040404"
BLUE, ORANGE, GREEN, RED, PURPLE = "#050505", "#060606", "#070707", "#080808", "#090909"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED)
"""The first is for the subject of the figure, the others for comparisons."""

_VARIABLES = {
    INK: "ink", MUTED: "muted", GRID: "line", SURFACE: "surface",
    BLUE: "blue", ORANGE: "orange", GREEN: "green", RED: "red", PURPLE: "purple",
}  # fmt: skip
_DENSITY = (0.12, 0.45, 0.9)


def figure_svg(draw: "Callable[[Figure], None]", name: str, size: tuple[float, float] = HALF) -> str:
    """Let `draw` plot on an empty figure of `size` (width, height) inches; returns an `<svg>` element.

    `name` is its description for screen readers, and must be unique on its page. The same plot gives the same bytes.
    Raises `CoinfarmError` if Matplotlib is not installed.
    """
    require_report_packages()
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.figure import Figure

    style: Any = {**_STYLE, "axes.prop_cycle": cycler(color=SERIES), "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        text = StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _inline(text.getvalue(), name)


def svg_file_text(inline: str) -> str:
    """A figure from `figure_svg` as the text of a file of its own, with the colours of the page in light and dark mode."""
    head, body = inline.split(">", 1)
    return render("coinfarm.reports", "figure.svg.j2", head=head, body=body)


def date_axis(panel: "Axes") -> None:
    """Label the horizontal axis with a few dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panel.grid(visible=False, axis="x")


def density_colours() -> Any:
    """A colour map for densities: from transparent to the page's blue."""
    from matplotlib.colors import LinearSegmentedColormap

    blue = (0.15, 0.45, 0.85)
    return LinearSegmentedColormap.from_list("density", [(*blue, alpha) for alpha in _DENSITY])


def _inline(svg: str, name: str) -> str:
    """Remove the file header, the fixed width, and the ids that nothing refers to."""
    svg = svg[svg.index("<svg") :]
    head, body = svg.split(">", 1)
    view_box = re.search(r'viewBox="[^"]*"', head)
    assert view_box is not None
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    referenced = set(re.findall(r"#([\w-]+)", body))
    body = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in referenced else "", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    label = name.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<svg {view_box[0]} role="img" aria-label="{label}" xmlns:xlink="http://www.w3.org/1999/xlink">{body.strip()}'


_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small, sharp, searchable
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is not math
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.labelcolor": INK,
}
