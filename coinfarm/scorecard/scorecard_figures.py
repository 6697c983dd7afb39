"""The plots of a scorecard."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.models.evaluation_scores import Decile
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.figure import BLUE, GREEN, INK, MUTED, ORANGE, WIDE, date_axis, figure_svg
from coinfarm.scorecard.scorecard_document import Comparison, PaperProfit, SkillTest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DASHED: Any = (0, (4, 3))
_WIDE_BLOCKS = 3
"""The bounds of the first blocks are too wide to be shown."""


def skill_figure(skill: SkillTest, name: str) -> str:
    """The score of each block, and the mean so far with its confidence sequence, beside the evaluated mean with its interval."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        days = _dates(block.first_day for block in skill.blocks)
        lows, highs = [block.low for block in skill.blocks], [block.high for block in skill.blocks]
        scores = [block.score for block in skill.blocks]
        panel.fill_between(days, lows, highs, color=BLUE, alpha=0.15, linewidth=0, label="where the live mean is (95 %, at all times)")
        panel.plot(days, [block.mean for block in skill.blocks], color=BLUE, label="live mean so far")
        panel.plot(days, scores, linestyle="none", marker="o", markersize=3, color=MUTED, label="one block")
        if skill.evaluated_interval is not None and skill.evaluated_mean is not None and skill.least_mean is not None:
            panel.axhspan(*skill.evaluated_interval, color=GREEN, alpha=0.15, linewidth=0)
            panel.axhline(skill.evaluated_mean, color=GREEN, linewidth=1.2, label="evaluated (95 % interval)")
            panel.axhline(skill.least_mean, color=ORANGE, linewidth=1.2, linestyle=_DASHED, label="half of the evaluated skill")
        margin = 0.1 * max(scores[0], *scores) - 0.1 * min(scores[0], *scores) + 0.01
        low, high = min([*scores, *lows[_WIDE_BLOCKS:], 0.0]) - margin, max([*scores, *highs[_WIDE_BLOCKS:]]) + margin
        panel.set_ylim(low, high)
        if skill.decided_on is not None:
            panel.plot(_dates([skill.decided_on] * 2), [low, high], color=INK, linewidth=1, linestyle=_DASHED, label="worse from here on")
        panel.set_ylabel("skill")
        date_axis(panel)
        panel.legend(loc="upper right", ncols=3)

    return figure_svg(draw, name, WIDE)


def calibration_figure(comparison: Comparison, name: str) -> str:
    """The mean outcome in each tenth of the predictions, live and in the evaluation; on the dashed line, outcomes equal predictions."""

    def draw(figure: "Figure") -> None:
        for panel, (output, title) in zip(figure.subplots(1, len(OUTPUT_TITLES)), OUTPUT_TITLES.items(), strict=True):
            sides = [("live", comparison.live.outputs[output].deciles, BLUE)]
            if comparison.evaluated is not None:
                sides.append(("evaluated", comparison.evaluated.outputs[output].deciles, MUTED))
            every = [value for _, deciles, _ in sides for decile in deciles for value in (decile.predicted_pct, decile.actual_pct)]
            panel.plot([min(every), max(every)], [min(every), max(every)], color=MUTED, linewidth=0.9, linestyle=_DASHED)
            for label, deciles, colour in reversed(sides):
                panel.plot(*_points(deciles), marker="o", color=colour, label=label)
            panel.set(title=title, xlabel="predicted, %")
        figure.axes[0].set_ylabel("actual, %")
        figure.axes[0].legend(loc="upper left")

    return figure_svg(draw, name, WIDE)


def equity_figure(paper: PaperProfit, name: str) -> str:
    """The capital of the paper trades by day, as a multiple of the initial one."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        panel.plot(_dates(point.day for point in paper.equity), [point.equity for point in paper.equity], color=BLUE, label="after costs")
        panel.axhline(1.0, color=MUTED, linewidth=0.9, linestyle=_DASHED)
        panel.set_ylabel("capital, 1 at the start")
        date_axis(panel)

    return figure_svg(draw, name, WIDE)


def _points(deciles: tuple[Decile, ...]) -> tuple[list[float], list[float]]:
    return [decile.predicted_pct for decile in deciles], [decile.actual_pct for decile in deciles]


def _dates(days: Iterable[date]) -> NDArray[np.datetime64]:
    return np.array(list(days), "datetime64[D]")
