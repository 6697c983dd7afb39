"""The coverage of a checked store as a chart: a square for each day, darker for more candles."""

import io
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candle_store.check import SeriesCheck
from coinfarm.candles.day import slots_per_day
from coinfarm.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

_WIDTH_INCHES = 9.0
_ROW_INCHES = 0.2
_PANEL_INCHES = 0.6
"""The height of a panel's heading and of its day labels."""
_MIN_ROWS = 2
_DAYS = 31
_MISSING = "#f2b184"
_ERROR_COLOUR = "#ff3b30"
_NOT_A_DAY = -1.0
_DPI = 110


def coverage_png(checks: list[SeriesCheck]) -> bytes:
    """A PNG with a panel for each series: a row for each month, a square for each day.

    Raises `CoinfarmError` if Matplotlib is not installed.
    """
    require("the coverage chart", "matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [max(_MIN_ROWS, len(check.months)) for check in checks]
    height = sum(rows) * _ROW_INCHES + len(rows) * _PANEL_INCHES + _PANEL_INCHES
    figure = Figure(figsize=(_WIDTH_INCHES, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(checks), 1, squeeze=False, height_ratios=rows)[:, 0]
    for panel, check in zip(panels, checks, strict=True):
        image = _draw(panel, check)
    bar = figure.colorbar(image, ax=list(panels), location="bottom", shrink=0.4, aspect=40, pad=0.02)
    bar.set_label("% of the day's candles; orange: none, red cross: invalid candles", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    sink = io.BytesIO()
    figure.savefig(sink, format="png")
    return sink.getvalue()


def day_coverage_pct(check: SeriesCheck) -> NDArray[np.float64]:
    """Percent of each day's candles that are stored, `(months, 31)`.

    NaN for a day between the first and the last that is not stored, -1 for days outside that range and dates that do not exist.
    """
    rows = {month: row for row, month in enumerate(check.months)}
    shares = np.full((len(rows), _DAYS), _NOT_A_DAY)
    for day in check.all_days():
        candles = check.days.get(day)
        shares[rows[_month(day)], day.day - 1] = np.nan if candles is None else 100 * candles / slots_per_day(check.interval)
    return shares


def _draw(panel: "Axes", check: SeriesCheck) -> "AxesImage":
    months = list(check.months)
    image = panel.imshow(day_coverage_pct(check), cmap=_colours(), vmin=0, vmax=100, aspect="auto", interpolation="nearest")
    days_with_errors = sorted({error.day for error in check.errors})
    panel.scatter(
        [day.day - 1 for day in days_with_errors],
        [months.index(_month(day)) for day in days_with_errors],
        marker="x",
        s=30,
        linewidth=2,
        color=_ERROR_COLOUR,
    )
    panel.set_title(f"{check.symbol} {check.interval}: {check.coverage.pct:.2f} %", loc="left", fontsize=9)
    panel.set_yticks(range(len(months)), months, fontsize=7)
    panel.set_xticks(range(_DAYS), [str(at + 1) for at in range(_DAYS)], fontsize=7)
    panel.set_xticks(np.arange(_DAYS + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(months) + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="white", linewidth=0.8)
    panel.tick_params(which="both", length=0)
    for edge in panel.spines.values():
        edge.set_visible(False)
    return image


def _colours() -> "Colormap":
    from matplotlib import colormaps

    return colormaps["Blues"].with_extremes(under="white", bad=_MISSING)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
