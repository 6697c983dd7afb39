"""The picture of a map: the break-even cost of each interval with its uncertainty, the cost, and the median move."""

from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.backtesting.interval_map.interval_map import IntervalMap
from coinfarm.candles.arrays import Values
from coinfarm.candles.interval import interval_ms
from coinfarm.reports.figure import BLUE, GREEN, INK, MUTED, ORANGE, RED, SURFACE, WIDE, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

_COLOURS = {Conclusion.MAKES_MONEY: GREEN, Conclusion.LOSES_MONEY: RED, Conclusion.INCONCLUSIVE: BLUE}
_LINEAR_BPS = 20.0
"""Up to here the axis of basis points is linear, so that zero and losses are on it; beyond, it is logarithmic."""
_TICKS = (0, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


def map_svg(found: IntervalMap) -> str:
    """The picture as inline SVG."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=_LINEAR_BPS, linscale=0.8)
        minutes = np.array([interval_ms(each.interval) / 60_000 for each in found.intervals])
        move = np.array([each.median_move_bps for each in found.intervals])
        cost = np.array([each.result.break_even.cost_bps for each in found.intervals])
        axes.axhline(0, color=INK, lw=0.8)
        axes.plot(minutes, move, "s--", color=MUTED, lw=1.1, ms=4, label="median move over the horizon")
        axes.plot(minutes, cost, "-", marker="_", ms=14, mew=2, color=ORANGE, label="cost of a round trip")
        bounds = _draw_break_even(axes, found, minutes)
        _set_axes(axes, found, minutes, np.concatenate([move, cost, *bounds, [0.0]]))
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))

    return figure_svg(draw, "Break-even cost, cost and median move by interval", (WIDE[0], 4.6))


def _draw_break_even(axes: "Axes", found: IntervalMap, minutes: Values) -> tuple[Values, Values, Values]:
    """Returns the break-even costs and the ends of their intervals."""
    results = [each.result.break_even for each in found.intervals]
    bps, low, high = (np.array([getattr(each, name) for each in results]) for name in ("bps", "low_bps", "high_bps"))
    for conclusion, colour in _COLOURS.items():
        rows = np.flatnonzero([each.conclusion is conclusion for each in found.intervals] & np.isfinite(low))
        if len(rows):
            lengths = [bps[rows] - low[rows], high[rows] - bps[rows]]
            label = f"break-even, 90 % interval: {conclusion.short}"
            axes.errorbar(minutes[rows], bps[rows], lengths, fmt="o", color=colour, ms=7, lw=2, capsize=5, zorder=4, label=label)
            _annotate(axes, minutes[rows], bps[rows], colour)
    rows = np.flatnonzero(np.isfinite(bps) & ~np.isfinite(low))
    if len(rows):
        label = "break-even, too few days for an interval"
        axes.plot(minutes[rows], bps[rows], "o", color=BLUE, mfc=SURFACE, ms=7, zorder=4, label=label)
        _annotate(axes, minutes[rows], bps[rows], BLUE)
    return bps, low, high


def _annotate(axes: "Axes", minutes: Values, bps: Values, colour: str) -> None:
    behind = {"facecolor": SURFACE, "edgecolor": "none", "pad": 1.5}
    for x, y in zip(minutes.tolist(), bps.tolist(), strict=True):
        text = f"{y:.0f}".replace("-", "−")
        axes.annotate(text, (x, y), (9, 0), textcoords="offset points", va="center", color=colour, weight="bold", bbox=behind, zorder=3)


def _set_axes(axes: "Axes", found: IntervalMap, minutes: Values, values: Values) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xticks(minutes, [each.interval for each in found.intervals])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(minutes[0] / 1.6, minutes[-1] * 1.8)
    lowest, highest = float(np.nanmin(values)), float(np.nanmax(values))
    ticks = [tick for each in _TICKS for tick in {each, -each} if 1.4 * lowest <= tick <= 1.4 * highest]
    axes.set_yticks(ticks, [f"{tick:,}".replace("-", "−") for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(1.25 * lowest - 5, 1.25 * highest + 5)
    axes.set_xlabel("interval of the candles")
    axes.set_ylabel("basis points of the stake")
