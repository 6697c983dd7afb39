"""The plots of an evaluation."""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.evaluation.display_names import BASELINE_TITLES, number
from coinfarm.evaluation.evaluation_frames import EvaluationFrames
from coinfarm.models.evaluation_document import Accuracy, DirectionAccuracy, Evaluation
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.reports.figure import BLUE, GREEN, HALF, INK, MUTED, ORANGE, WIDE, density_colours, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MIN_R2_SHOWN = -0.25
_DENSITY_BINS = 44
_DENSITY_QUANTILES = (0.005, 0.995)
_OUTPUT_COLOURS = dict(zip(OUTPUT_NAMES, cycle((GREEN, ORANGE, BLUE))))


def r2_figure(evaluation: Evaluation) -> str:
    """R² of every output, the model's with its interval, beside the baselines; bars end where there is nothing more to see."""

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(OUTPUT_TITLES), sharey=True, sharex=True)
        who = ["this model", *(BASELINE_TITLES[name] for name in evaluation.baselines)]
        place = -np.arange(len(who))
        for panel, (name, title) in zip(panels, OUTPUT_TITLES.items(), strict=True):
            ours = evaluation.outputs[name]
            every = [ours.r2, *(baseline.outputs[name].r2 for baseline in evaluation.baselines.values())]
            shown = [max(_MIN_R2_SHOWN, value or 0.0) for value in every]
            panel.barh(place, shown, color=[BLUE] + [MUTED] * (len(who) - 1), height=0.62, alpha=0.85)
            if ours.r2_interval is not None:
                panel.hlines(place[0], *ours.r2_interval, color=INK, linewidth=1.4)
            ends = [max(shown[0], ours.r2_interval[1] if ours.r2_interval else 0.0), *shown[1:]]
            for at, value, end in zip(place, every, ends, strict=True):
                panel.text(max(end, 0) + 0.012, at, number(value), va="center", fontsize=8.5, color=INK)
            panel.axvline(0, color=MUTED, linewidth=0.8)
            panel.set_title(title)
            panel.grid(visible=False, axis="y")
        best = max([baseline.outputs[name].r2 or 0.0 for baseline in evaluation.baselines.values() for name in OUTPUT_TITLES], default=0.0)
        top = max([best, *(output.r2 or 0.0 for output in evaluation.outputs.values())])
        panels[0].set_xlim(_MIN_R2_SHOWN - 0.02, 1.3 * max(top, 0.1) + 0.06)
        panels[0].set_yticks(place, who)

    return figure_svg(draw, "R² of the model and of the baselines, by output", WIDE)


def calibration_figure(evaluation: Evaluation) -> str:
    """What happened on average in each tenth of the predictions; on the dashed line the model is taken at its word."""

    def draw(figure: "Figure") -> None:
        for panel, (name, title) in zip(figure.subplots(1, len(OUTPUT_TITLES)), OUTPUT_TITLES.items(), strict=True):
            tenths = evaluation.outputs[name].calibration.deciles
            predicted, actual = [tenth.predicted_pct for tenth in tenths], [tenth.actual_pct for tenth in tenths]
            _diagonal(panel, min(*predicted, *actual), max(*predicted, *actual))
            panel.plot(predicted, actual, marker="o", color=BLUE)
            panel.set(title=title, xlabel="predicted, %")
        figure.axes[0].set_ylabel("actual, %")

    return figure_svg(draw, "What happened over what was foretold, by tenths of the predictions", WIDE)


def density_figure(judged: EvaluationFrames) -> str:
    """How often a prediction met an outcome, the rarest half percent on each side not shown."""

    def draw(figure: "Figure") -> None:
        for at, (panel, title) in enumerate(zip(figure.subplots(1, len(OUTPUT_TITLES)), OUTPUT_TITLES.values(), strict=True)):
            predicted, actual = judged.predicted_pct[:, at], judged.rows.actual_pct[:, at]
            bounds = [_bounds(predicted), _bounds(actual)]
            counts, _, _ = np.histogram2d(predicted, actual, bins=_DENSITY_BINS, range=bounds)
            shown = np.ma.masked_equal(np.log1p(counts.T), 0)
            panel.imshow(shown, origin="lower", aspect="auto", extent=(*bounds[0], *bounds[1]), cmap=density_colours())
            _diagonal(panel, *bounds[0])
            panel.set(title=title, xlabel="predicted, %", xlim=bounds[0], ylim=bounds[1])
        figure.axes[0].set_ylabel("actual, %")

    return figure_svg(draw, "How often a prediction met an outcome", WIDE)


def daily_figure(evaluation: Evaluation) -> str:
    """The end change's rank correlation, day by day."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        days, values = _by_day(evaluation, "endChangePct")
        panel.bar(days, values, color=BLUE, alpha=0.75, width=0.9)
        panel.axhline(0, color=MUTED, linewidth=0.8)
        mean = evaluation.outputs["endChangePct"].daily_rank_correlation.mean
        if mean is not None:
            panel.axhline(mean, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"mean {number(mean)}")
            panel.legend(loc="lower right")
        panel.set_ylabel("rank correlation")
        _date_axis(panel)

    return figure_svg(draw, "Rank correlation of the end change by day", HALF)


def cumulative_figure(evaluation: Evaluation) -> str:
    """The daily rank correlations of all outputs, added up: steady skill is a straight line upwards."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        for name, title in OUTPUT_TITLES.items():
            days, values = _by_day(evaluation, name)
            panel.plot(days, np.cumsum(values), color=_OUTPUT_COLOURS[name], label=title)
        panel.axhline(0, color=MUTED, linewidth=0.8)
        panel.set_ylabel("cumulated")
        panel.legend(loc="upper left")
        _date_axis(panel)

    return figure_svg(draw, "Rank correlations added up over the days", HALF)


def parts_figure(evaluation: Evaluation) -> str:
    """How often calls were right: overall, of the strongest, by coin and by volatility."""

    def parts(calls: DirectionAccuracy) -> dict[str, Accuracy]:
        volatility = {f"{name} vol.": share for name, share in calls.by_volatility.items()}
        return {"all": calls.overall, "strongest": calls.strongest, **calls.by_coin, **volatility}

    return _shares_figure(evaluation, parts, "How often calls were right, by coin and volatility", HALF)


def month_figure(evaluation: Evaluation) -> str:
    """How often calls were right, by month."""
    return _shares_figure(evaluation, lambda calls: calls.by_month, "How often calls were right, by month", HALF)


def hour_figure(evaluation: Evaluation) -> str:
    """How often calls were right, by the hour in which the horizon begins."""
    return _shares_figure(evaluation, lambda calls: calls.by_hour, "How often calls were right, by hour of the day (UTC)", WIDE)


def _shares_figure(
    evaluation: Evaluation, parts: Callable[[DirectionAccuracy], Mapping[str, Accuracy]], name: str, size: tuple[float, float]
) -> str:
    """Both kinds of calls beside each other, with intervals, over the parts."""

    def draw(figure: "Figure") -> None:
        panel = figure.subplots()
        panel.axhline(50, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        kinds = (("direction", evaluation.direction, BLUE, -0.12), ("rise > decline", evaluation.rise_over_decline, ORANGE, 0.12))
        for label, calls, colour, shift in kinds:
            known = [(at + shift, share) for at, share in enumerate(parts(calls).values()) if share.right_pct is not None]
            for at, share in known:
                if share.interval_pct is not None:
                    panel.vlines(at, *share.interval_pct, color=colour, linewidth=2, alpha=0.55)
            panel.scatter([at for at, _ in known], [share.right_pct or 0.0 for _, share in known], s=22, color=colour, label=label)
        titles = list(parts(evaluation.direction))
        slanted = size == HALF and len("".join(titles)) > 40
        panel.set_xticks(range(len(titles)), titles, rotation=35 if slanted else 0, ha="right" if slanted else "center")
        panel.set_xlim(-0.6, len(titles) - 0.4)
        panel.grid(visible=False, axis="x")
        panel.set_ylabel("correct, %")
        panel.legend(loc="best", ncols=2)
        panel.margins(y=0.18)

    return figure_svg(draw, name, size)


def _by_day(evaluation: Evaluation, output: str) -> tuple[Any, Values]:
    by_day = evaluation.outputs[output].daily_rank_correlation.by_day
    return np.array(list(by_day), "M8[D]"), np.array(list(by_day.values()))


def _date_axis(panel: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    panel.grid(visible=False, axis="x")


def _diagonal(panel: "Axes", low: float, high: float) -> None:
    panel.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))


def _bounds(values: Values) -> tuple[float, float]:
    low, high = np.quantile(values, _DENSITY_QUANTILES)
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(high) + 0.5)
