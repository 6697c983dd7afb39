"""The sections of the page of an evaluation."""

from coinfarm.candles.day import day_of
from coinfarm.evaluation import evaluation_figures
from coinfarm.evaluation.baseline_names import BASELINE_MEANINGS, BASELINE_TITLES
from coinfarm.evaluation.evaluation_frames import EvaluationFrames
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.models.evaluation_scores import Accuracy, Baseline, DirectionAccuracy, OutputScores
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, percent_text, score_text
from coinfarm.reports.page import Figure, Figures, Prose, Section, Table

_THIS_MODEL = "this model"


def baselines_section(evaluation: Evaluation) -> Section:
    """The scores of the model and of the baselines."""
    rows = [_row(_THIS_MODEL, dict(evaluation.outputs), evaluation.direction.overall, evaluation.rise_over_decline.overall)]
    rows += [
        _row(BASELINE_TITLES[name], dict(baseline.outputs), baseline.direction, baseline.rise_over_decline)
        for name, baseline in evaluation.baselines.items()
    ]
    meanings = "; ".join(f"{BASELINE_TITLES[name]}: {BASELINE_MEANINGS[name]}" for name in evaluation.baselines)
    return Section(
        "Model and baselines",
        (
            Prose(
                (
                    "R² is the share of the variance that is predicted: 1 is perfect, 0 is as good as the mean of the outcomes, and below "
                    "0 is worse. What matters is how much the model adds to simple baselines.",
                )
            ),
            Table(
                ("", *(f"R² {title}" for title in OUTPUT_TITLES.values()), "direction accuracy", "rise > decline"),
                rows,
                f"{meanings[0].upper()}{meanings[1:]}. 90 % intervals in brackets.",
                strong_row=0,
            ),
            Figures(
                (
                    Figure(
                        evaluation_figures.r2_figure(evaluation),
                        "R² of the model and the baselines",
                        "The line on the model's bar is its 90 % interval. Bars below −0.25 are cut off.",
                        wide=True,
                    ),
                )
            ),
            _errors_table(evaluation),
            _comparison_table(evaluation.baselines),
        ),
    )


def _errors_table(evaluation: Evaluation) -> Table:
    def row(title: str, outputs: dict[str, OutputScores]) -> tuple[str, ...]:
        errors = (score_text(outputs[name].mean_absolute_error_pct) for name in OUTPUT_TITLES)
        return (title, *errors, *(score_text(outputs[name].rank_correlation) for name in OUTPUT_TITLES))

    rows = [row(_THIS_MODEL, dict(evaluation.outputs))]
    rows += [row(BASELINE_TITLES[name], dict(baseline.outputs)) for name, baseline in evaluation.baselines.items()]
    header = ("", *(f"error {title}, %" for title in OUTPUT_TITLES.values()), *(f"rank corr. {title}" for title in OUTPUT_TITLES.values()))
    return Table(header, rows, "Mean absolute errors in percentage points, and rank correlations", strong_row=0, collapsed=True)


def _comparison_table(baselines: dict[str, Baseline]) -> Table:
    def reduction(scores: Baseline, name: str) -> str:
        output = scores.outputs[name]
        return percent_text(output.model_error_reduction_pct, output.model_error_reduction_interval_pct)

    rows = [
        (
            BASELINE_TITLES[name],
            *(reduction(baseline, output) for output in OUTPUT_TITLES),
            f"{score_text(baseline.direction.model_lead_pct, 1)} {bounds_text(baseline.direction.model_lead_interval_pct, 1)}".strip(),
        )
        for name, baseline in baselines.items()
    ]
    header = ("against", *(f"errors of {title}" for title in OUTPUT_TITLES.values()), "direction, points")
    return Table(
        header,
        rows,
        "How much smaller the model's squared errors are, and how much more often its direction is correct, frame by frame",
        collapsed=True,
    )


def calibration_section(evaluation: Evaluation, frames: EvaluationFrames) -> Section:
    """How large predictions and outcomes are."""
    slopes = ", ".join(
        f"{score_text(evaluation.outputs[name].calibration.slope, 2)} for the {title}" for name, title in OUTPUT_TITLES.items()
    )
    return Section(
        "Calibration",
        (
            Prose((f"The slope of outcomes over predictions is {slopes}. 1 is well calibrated; below 1, the predictions are too large.",)),
            Figures(
                (
                    Figure(
                        evaluation_figures.calibration_figure(evaluation),
                        "Calibration",
                        "Each point is a tenth of the frames, from the lowest predictions to the highest. On the dashed line, outcomes "
                        "equal predictions.",
                        wide=True,
                    ),
                    Figure(
                        evaluation_figures.density_figure(frames),
                        "Predictions and outcomes",
                        "The darker, the more frames (logarithmic); the rarest half percent on each side is not shown.",
                        wide=True,
                    ),
                )
            ),
        ),
    )


def direction_section(evaluation: Evaluation) -> Section:
    """How often the direction is correct, by parts."""
    hours = len(evaluation.direction.by_hour)
    return Section(
        "Direction",
        (
            Prose(
                (
                    "A direction is correct if the end change has the predicted sign; frames after which the price did not change do not "
                    "count. “Rise > decline” is whether the price goes farther up than down.",
                    f"Of {hours} hours, about {max(1, round(0.1 * hours))} will by chance have an interval that excludes the true value: "
                    "one good hour means nothing.",
                )
            ),
            Figures(
                (
                    Figure(
                        evaluation_figures.parts_figure(evaluation),
                        "By coin and volatility",
                        "Bars are 90 % intervals; 50 % is a coin toss.",
                    ),
                    Figure(evaluation_figures.month_figure(evaluation), "By month", "Skill should show in more than one month."),
                    Figure(
                        evaluation_figures.hour_figure(evaluation),
                        "By hour of the day, UTC",
                        "The hour in which the horizon begins.",
                        wide=True,
                    ),
                )
            ),
            _parts_table(evaluation.direction, "The direction, by parts"),
            _parts_table(evaluation.rise_over_decline, "Rise greater than decline, by parts"),
        ),
    )


def _parts_table(accuracy: DirectionAccuracy, caption: str) -> Table:
    parts = [("all", accuracy.overall), ("strongest 5 %", accuracy.strongest), *accuracy.by_coin.items(), *accuracy.by_month.items()]
    parts += [(f"volatility {name}", part) for name, part in accuracy.by_volatility.items()]
    parts += [(f"{hour}:00", part) for hour, part in accuracy.by_hour.items()]
    rows = [(name, f"{part.frames:,}", percent_text(part.right_pct), bounds_text(part.interval_pct, 1)) for name, part in parts]
    return Table(("", "frames", "correct", "90 % interval"), rows, caption, collapsed=True)


def daily_section(evaluation: Evaluation) -> Section:
    """The rank correlation by day."""
    rows = []
    for name, title in OUTPUT_TITLES.items():
        daily = evaluation.outputs[name].daily_rank_correlation
        above_zero = sum(value > 0 for value in daily.by_day.values())
        rows.append((title, score_text(daily.mean), score_text(daily.t_statistic, 1), f"{above_zero} of {daily.days}"))
    return Section(
        "Day by day",
        (
            Prose(
                (
                    "The rank correlation (information coefficient) of the frames of each day, all coins together, measures only whether "
                    "larger predictions went with larger outcomes. The t-statistic assumes independent days.",
                )
            ),
            Table(("", "mean by day", "t-statistic", "days above zero"), rows),
            Figures(
                (
                    Figure(evaluation_figures.daily_figure(evaluation), "End change, day by day"),
                    Figure(evaluation_figures.cumulative_figure(evaluation), "Cumulative", "Steady skill is a straight line upwards."),
                )
            ),
        ),
    )


def method_section(evaluation: Evaluation) -> Section:
    """Which frames were evaluated, and how."""
    counts, bootstrap, fit = evaluation.counts, evaluation.bootstrap, evaluation.baseline_fit
    fit_text = "No baseline was fitted: no candles from before the training cutoff were given."
    if fit is not None:
        days = sorted({str(day_of(time)) for time in fit.before_ms.values()})
        fit_text = (
            f"The baselines were fitted on {fit.frames:,} windows, {fit.stride} candles apart, that end with their horizons before "
            f"{' and '.join(days)}: they have no candle in common with an out-of-sample window."
        )
    left_out = [
        ("windows in the period", f"{counts.windows:,}"),
        ("left out: begin before the training cutoff", "unknown" if counts.in_sample is None else f"{counts.in_sample:,}"),
        ("left out: more than half of the candles missing, so no prediction", f"{counts.without_prediction:,}"),
        ("left out: the window or its horizon crosses a gap", f"{counts.across_gaps:,}"),
        ("left out: the horizon would reach beyond the last candle", f"{counts.without_horizon:,}"),
        ("evaluated", f"{counts.evaluated:,}"),
        ("independent at most", f"{counts.effective:,.0f}"),
    ]
    return Section(
        "Data and method",
        (
            Table(("", "windows"), left_out, strong_row=5),
            Prose(
                (
                    f"Windows and their horizons of {evaluation.horizon_candles} candles lie completely within the period. Predictions "
                    "were made as in service.",
                    fit_text,
                    f"Intervals are {percent_text(100 * bootstrap.level)} intervals from {bootstrap.samples:,} studentised circular block "
                    f"bootstrap samples of whole days, in blocks of at least {bootstrap.block_candles:,} candles, longer where days "
                    f"depend on each other; all coins of one day are drawn together. Fewer than {bootstrap.min_blocks} effective blocks "
                    "have no interval.",
                    f"The mean absolute end change was {score_text(evaluation.mean_absolute_end_change_pct, 2)} %: that is what a correct "
                    "direction earns on average, before fees.",
                )
            ),
            Table(
                ("coin", "sha256 of the candles"),
                list(evaluation.candles.items()),
                "Candles",
                text_columns=2,
                collapsed=True,
            ),
        ),
    )


def _row(title: str, outputs: dict[str, OutputScores], *accuracies: Accuracy) -> tuple[str, ...]:
    r2 = (score_text(outputs[name].r2) for name in OUTPUT_TITLES)
    return (title, *r2, *(percent_text(accuracy.right_pct, accuracy.interval_pct) for accuracy in accuracies))
