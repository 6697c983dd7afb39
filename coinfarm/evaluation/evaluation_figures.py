"""The plots of an evaluation."""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.evaluation.evaluation_frames import EvaluationFrames
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.models.evaluation_scores import Accuracy, DirectionAccuracy
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.reports.figure import BLUE, GREEN, HALF, INK, MUTED, ORANGE, WIDE, date_axis, density_colours, figure_svg
from coinfarm.reports.formatting import score_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MIN_R2_SHOWN = -0.25
_DENSITY_BINS = 44
_DENSITY_QUANTILES = (0.005, 0.995)
_OUTPUT_COLOURS: dict[str, str] = dict(zip(OUTPUT_NAMES, cycle((GREEN, ORANGE, BLUE))))


def r2_figure(evaluation: Evaluation) -> str:
    """R² of every output, of the model (with its interval) and of the baselines; long negative bars are cut off."""

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(OUTPUT_TITLES), sharey=True, sharex=True)
        titles = ["this model", *(BASELINE_TITLES[name] for name in evaluation.baselines)]
        place = -np.arange(len(titles))
        for panel, (name, title) in zip(panels, OUTPUT_TITLES.items(), strict=True):
            ours = evaluation.outputs[name]
            every = [ours.r2, *(baseline.outputs[name].r2 for baseline in evaluation.baselines.values())]
            shown = [max(_MIN_R2_SHOWN, value or 0.0) for value in every]
            panel.barh(place, shown, color=[BLUE] + [MUTED] * (len(titles) - 1), height=0.62, alpha=0.85)
            if ours.r2_interval is not None:
                panel.hlines(place[0], *ours.r2_interval, color=INK, linewidth=1.4)
            ends = [max(shown[0], ours.r2_interval[1] if ours.r2_interval else 0.0), *shown[1:]]
            for at, value, end in zip(place, every, ends, strict=True):
                panel.text(max(end, 0) + 0.012, at, score_text(value), va="center", fontsize=8.5, color=INK)
            panel.axvline(0, color=MUTED, linewidth=0.8)
            panel.set_title(title)
            panel.grid(visible=False, axis="y")
        best = max([baseline.outputs[name].r2 or 0.0 for baseline in evaluation.baselines.values() for name in OUTPUT_TITLES], default=0.0)
        top = max([best, *(output.r2 or 0.0 for output in evaluation.outputs.values())])
        panels[0].set_xlim(_MIN_R2_SHOWN - 0.02, 1.3 * max(top, 0.1) + 0.06)
        panels[0].set_yticks(place, titles)

    return figure_svg(draw, "R² of the model and of the baselines, by output", WIDE)


def calibration_figure(evaluation: Evaluation) -> str:
    """The mean outcome in each tenth of the predictions; on the dashed line, outcomes equal predictions."""

    def draw(figure: "Figure") -> None:
        for panel, (name, title) in zip(figure.subplots(1, len(OUTPUT_TITLES)), OUTPUT_TITLES.items(), strict=True):
            tenths = evaluation.outputs[name].calibration.deciles
            predicted, actual = [tenth.predicted_pct for tenth in tenths], [tenth.actual_pct for tenth in tenths]
            _diagonal(panel, min(*predicted, *actual), max(*predicted, *actual))
            panel.plot(predicted, actual, marker="o", color=BLUE)
            panel.set(title=title, xlabel="predicted, %")
        figure.axes[0].set_ylabel("actual, %")

    return figure_svg(draw, "Outcomes over predictions, by tenths of the predictions", WIDE)


def density_figure(frames: EvaluationFrames) -> str:
    """A density plot of outcomes over predictions, without the rarest half percent on each side."""

    def draw(figure: "Figure") -> None:
        for at, (panel, title) in enumerate(zip(figure.subplots(1, len(OUTPUT_TITLES)), OUTPUT_TITLES.values(), strict=True)):
            predicted, actual = frames.predicted_pct[:, at], frames.observations.actual_pct[:, at]
            bounds = [_bounds(predicted), _bounds(actual)]
            counts, _, _ = np.histogram2d(predicted, actual, bins=_DENSITY_BINS, range=bounds)
            shown = np.ma.masked_equal(np.log1p(counts.T), 0)
            panel.imshow(shown, origin="lower", aspect="auto", extent=(*bounds[0], *bounds[1]), cmap=density_colours())
            _diagonal(panel, *bounds[0])
            panel.set(title=title, xlabel="predicted, %", xlim=bounds[0], ylim=bounds[1])
        figure.axes[0].set_ylabel("actual, %")

    return figure_svg(draw, "Density of outcomes over predictions", WIDE)


def daily_figure(evaluation: Evaluation) -> str:
    """The rank correlation of the end change by day."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        days, values = _by_day(evaluation, "endChangePct")
        panel.bar(days, values, color=BLUE, alpha=0.75, width=0.9)
        panel.axhline(0, color=MUTED, linewidth=0.8)
        mean = evaluation.outputs["endChangePct"].daily_rank_correlation.mean
        if mean is not None:
            panel.axhline(mean, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"mean {score_text(mean)}")
            panel.legend(loc="lower right")
        panel.set_ylabel("rank correlation")
        date_axis(panel)

    return figure_svg(draw, "Rank correlation of the end change by day", HALF)


def cumulative_figure(evaluation: Evaluation) -> str:
    """The cumulative daily rank correlations of all outputs: steady skill is a straight line upwards."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        for name, title in OUTPUT_TITLES.items():
            days, values = _by_day(evaluation, name)
            panel.plot(days, np.cumsum(values), color=_OUTPUT_COLOURS[name], label=title)
        panel.axhline(0, color=MUTED, linewidth=0.8)
        panel.set_ylabel("cumulative")
        panel.legend(loc="upper left")
        date_axis(panel)

    return figure_svg(draw, "Cumulative rank correlations by day", HALF)


def parts_figure(evaluation: Evaluation) -> str:
    """Accuracy overall, of the strongest predictions, by coin and by volatility."""

    def parts(accuracy: DirectionAccuracy) -> dict[str, Accuracy]:
        volatility = {f"{name} vol.": part for name, part in accuracy.by_volatility.items()}
        return {"all": accuracy.overall, "strongest": accuracy.strongest, **accuracy.by_coin, **volatility}

    return _accuracy_figure(evaluation, parts, "Accuracy by coin and volatility", HALF)


def month_figure(evaluation: Evaluation) -> str:
    """Accuracy by month."""
    return _accuracy_figure(evaluation, lambda accuracy: accuracy.by_month, "Accuracy by month", HALF)


def hour_figure(evaluation: Evaluation) -> str:
    """Accuracy by the hour in which the horizon begins."""
    return _accuracy_figure(evaluation, lambda accuracy: accuracy.by_hour, "Accuracy by hour of the day (UTC)", WIDE)


def _accuracy_figure(
    evaluation: Evaluation, parts: Callable[[DirectionAccuracy], Mapping[str, Accuracy]], name: str, size: tuple[float, float]
) -> str:
    """The accuracy of the direction and of rise > decline, with intervals, by parts."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        panel.axhline(50, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        kinds = (("direction", evaluation.direction, BLUE, -0.12), ("rise > decline", evaluation.rise_over_decline, ORANGE, 0.12))
        for label, accuracy, colour, shift in kinds:
            known = [(at + shift, part) for at, part in enumerate(parts(accuracy).values()) if part.right_pct is not None]
            for at, part in known:
                if part.interval_pct is not None:
                    panel.vlines(at, *part.interval_pct, color=colour, linewidth=2, alpha=0.55)
            panel.scatter([at for at, _ in known], [part.right_pct or 0.0 for _, part in known], s=22, color=colour, label=label)
        names = list(parts(evaluation.direction))
        slanted = size == HALF and len("".join(names)) > 40
        panel.set_xticks(range(len(names)), names, rotation=35 if slanted else 0, ha="right" if slanted else "center")
        panel.set_xlim(-0.6, len(names) - 0.4)
        panel.grid(visible=False, axis="x")
        panel.set_ylabel("correct, %")
        panel.legend(loc="best", ncols=2)
        panel.margins(y=0.18)

    return figure_svg(draw, name, size)


def _by_day(evaluation: Evaluation, output: str) -> tuple[Any, Values]:
    by_day = evaluation.outputs[output].daily_rank_correlation.by_day
    return np.array(list(by_day), "M8[D]"), np.array(list(by_day.values()))


def _diagonal(panel: "Axes", low: float, high: float) -> None:
    panel.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))


def _bounds(values: Values) -> tuple[float, float]:
    low, high = np.quantile(values, _DENSITY_QUANTILES)
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(high) + 0.5)
