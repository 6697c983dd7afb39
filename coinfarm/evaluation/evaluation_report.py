"""An evaluation as a page."""

from datetime import UTC, datetime

from coinfarm.evaluation import evaluation_figures
from coinfarm.evaluation.display_names import BASELINE_MEANINGS, BASELINE_TITLES, between, number, percent, right
from coinfarm.evaluation.evaluation_frames import EvaluationFrames
from coinfarm.evaluation.findings import best_baseline, best_direction_baseline, verdict
from coinfarm.models.evaluation_document import Accuracy, Baseline, BaselineAccuracy, DirectionAccuracy, Evaluation, OutputScores
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.page import Figure, Figures, Page, Prose, Section, Table, Tile, Tone

_COIN_TOSS_PCT = 50.0


def page(evaluation: Evaluation, judged: EvaluationFrames) -> Page:
    """The page of one evaluation; it needs the frames themselves for the plot of predictions against outcomes."""
    model = evaluation.model
    return Page(
        title=f"Evaluation of the model “{model.name}”",
        subtitle=f"Version {model.version} on {model.engine} · {', '.join(evaluation.candles)}, {evaluation.interval} candles · "
        f"{evaluation.from_date} up to {evaluation.to_date}, the last day not included · {_every(evaluation.stride)}",
        verdict=verdict(evaluation),
        tiles=_tiles(evaluation),
        sections=(
            _baselines(evaluation),
            _sizes(evaluation, judged),
            _calls(evaluation),
            _days(evaluation),
            _judged(evaluation),
        ),
        footer=f"Made by coinfarm evaluate from {', '.join(evaluation.candle_files) or 'candles in memory'}; "
        "the same model and candles make the same page.",
    )


def _tiles(evaluation: Evaluation) -> tuple[Tile, ...]:
    tiles = []
    for name in ("maxRisePct", "maxDeclinePct"):
        best = best_baseline(evaluation, name)
        theirs = evaluation.baselines[best].outputs[name]
        bounds = theirs.model_error_reduction_interval_pct
        tiles.append(
            Tile(
                f"R² of the {OUTPUT_TITLES[name]}",
                number(evaluation.outputs[name].r2),
                f"{BASELINE_TITLES[best]}: {number(theirs.r2)}",
                _size_tone(bounds),
            )
        )
    best = best_direction_baseline(evaluation)
    overall, larger = evaluation.direction.overall, evaluation.rise_over_decline.overall
    return (
        *tiles,
        Tile(
            "Direction correct",
            percent(overall.right_pct),
            f"{BASELINE_TITLES[best]}: {percent(evaluation.baselines[best].direction.right_pct)}",
            _call_tone(overall, [each.direction for each in evaluation.baselines.values()]),
        ),
        Tile(
            "Rise > decline correct",
            percent(larger.right_pct),
            between(larger.interval_pct, 1),
            _call_tone(larger, [each.rise_over_decline for each in evaluation.baselines.values()]),
        ),
        Tile("Frames", f"{evaluation.frames:,}", f"at most {evaluation.counts.effective:,.0f} independent"),
    )


def _baselines(evaluation: Evaluation) -> Section:
    rows = [_row("this model", dict(evaluation.outputs), evaluation.direction.overall, evaluation.rise_over_decline.overall)]
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
                ("", *(f"R² {title}" for title in OUTPUT_TITLES.values()), "direction correct", "rise > decline correct"),
                rows,
                f"{meanings[0].upper()}{meanings[1:]}. 90 % intervals in brackets.",
                strong_row=0,
            ),
            Figures(
                (
                    Figure(
                        evaluation_figures.r2_figure(evaluation),
                        "R² beside the baselines",
                        "The line on the model's bar is its 90 % interval. Bars below −0.25 are cut off.",
                        wide=True,
                    ),
                )
            ),
            _errors_table(evaluation),
            _lead_table(evaluation.baselines),
        ),
    )


def _errors_table(evaluation: Evaluation) -> Table:
    def row(who: str, outputs: dict[str, OutputScores]) -> tuple[str, ...]:
        errors = (number(outputs[name].mean_absolute_error_pct) for name in OUTPUT_TITLES)
        return (who, *errors, *(number(outputs[name].rank_correlation) for name in OUTPUT_TITLES))

    rows = [row("this model", dict(evaluation.outputs))]
    rows += [row(BASELINE_TITLES[name], dict(baseline.outputs)) for name, baseline in evaluation.baselines.items()]
    header = ("", *(f"error {title}, %" for title in OUTPUT_TITLES.values()), *(f"rank corr. {title}" for title in OUTPUT_TITLES.values()))
    return Table(header, rows, "Mean absolute errors in percentage points, and rank correlations", strong_row=0, folded=True)


def _lead_table(baselines: dict[str, Baseline]) -> Table:
    def reduction(scores: Baseline, name: str) -> str:
        output = scores.outputs[name]
        return f"{percent(output.model_error_reduction_pct)} {between(output.model_error_reduction_interval_pct, 1)}".strip()

    rows = [
        (
            BASELINE_TITLES[name],
            *(reduction(baseline, output) for output in OUTPUT_TITLES),
            f"{number(baseline.direction.model_lead_pct, 1)} {between(baseline.direction.model_lead_interval_pct, 1)}".strip(),
        )
        for name, baseline in baselines.items()
    ]
    header = ("against", *(f"errors of {title}" for title in OUTPUT_TITLES.values()), "direction, points")
    return Table(
        header,
        rows,
        "How much smaller the model's squared errors are, and how much more often its direction is correct, frame by frame",
        folded=True,
    )


def _sizes(evaluation: Evaluation, judged: EvaluationFrames) -> Section:
    slopes = ", ".join(f"{number(evaluation.outputs[name].calibration.slope, 2)} for the {title}" for name, title in OUTPUT_TITLES.items())
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
                        "equal "
                        "predictions.",
                        wide=True,
                    ),
                    Figure(
                        evaluation_figures.density_figure(judged),
                        "Predictions and outcomes",
                        "The darker, the more frames (logarithmic); the rarest half percent on each side is not shown.",
                        wide=True,
                    ),
                )
            ),
        ),
    )


def _calls(evaluation: Evaluation) -> Section:
    hours = len(evaluation.direction.by_hour)
    return Section(
        "Direction",
        (
            Prose(
                (
                    "A direction is correct if the end change has the predicted sign; frames after which the price did not change do not "
                    "count. “Rise > decline” asks whether the price goes farther up than down.",
                    f"Of {hours} hours, about {max(1, round(0.1 * hours))} will by chance have an interval that excludes the true value: "
                    f"one "
                    "good hour means nothing.",
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


def _parts_table(calls: DirectionAccuracy, caption: str) -> Table:
    parts = [("all", calls.overall), ("strongest 5 %", calls.strongest), *calls.by_coin.items(), *calls.by_month.items()]
    parts += [(f"volatility {name}", share) for name, share in calls.by_volatility.items()]
    parts += [(f"{hour}:00", share) for hour, share in calls.by_hour.items()]
    rows = [(name, f"{share.frames:,}", percent(share.right_pct), between(share.interval_pct, 1)) for name, share in parts]
    return Table(("", "frames", "correct", "90 % interval"), rows, caption, folded=True)


def _days(evaluation: Evaluation) -> Section:
    rows = [
        (title, number(daily.mean), number(daily.t_statistic, 1), f"{sum(value > 0 for value in daily.by_day.values())} of {daily.days}")
        for title, daily in ((title, evaluation.outputs[name].daily_rank_correlation) for name, title in OUTPUT_TITLES.items())
    ]
    return Section(
        "Day by day",
        (
            Prose(
                (
                    "The rank correlation (information coefficient) of the frames of each day, all coins together, asks only whether "
                    "larger predictions went with larger outcomes. The t-statistic assumes independent days.",
                )
            ),
            Table(("", "mean by day", "t-statistic", "days above zero"), rows),
            Figures(
                (
                    Figure(evaluation_figures.daily_figure(evaluation), "End change, day by day"),
                    Figure(evaluation_figures.cumulative_figure(evaluation), "Cumulated", "Steady skill is a straight line upwards."),
                )
            ),
        ),
    )


def _judged(evaluation: Evaluation) -> Section:
    counts, bootstrap, fit = evaluation.counts, evaluation.bootstrap, evaluation.baseline_fit
    learnt = "No baseline was fitted: no candles from before the training cut-off were given."
    if fit is not None:
        days = sorted({str(datetime.fromtimestamp(time / 1000, UTC).date()) for time in fit.before_ms.values()})
        learnt = (
            f"The baselines were fitted on {fit.frames:,} windows, {fit.stride} candles apart, that end with their horizons before "
            f"{' and '.join(days)}: they have no candle in common with an out-of-sample window."
        )
    left_out = [
        ("windows in the period", f"{counts.windows:,}"),
        ("left out: begin before the training cut-off", "unknown" if counts.in_sample is None else f"{counts.in_sample:,}"),
        ("left out: more than half of the candles missing, so no prediction", f"{counts.without_prediction:,}"),
        ("left out: the horizon would reach beyond the last candle", f"{counts.without_horizon:,}"),
        ("evaluated", f"{counts.judged:,}"),
        ("independent at most", f"{counts.effective:,.0f}"),
    ]
    return Section(
        "Data and method",
        (
            Table(("", "windows"), left_out, strong_row=4),
            Prose(
                (
                    f"Windows and their horizons of {evaluation.horizon_candles} candles lie wholly within the period. Predictions were "
                    "made as in service.",
                    learnt,
                    f"Intervals contain {percent(100 * bootstrap.level)} of {bootstrap.samples:,} circular block bootstrap samples over "
                    f"time, in "
                    f"blocks of {bootstrap.block_candles:,} candles, at least a window and its horizon; all coins of one time are drawn "
                    "together.",
                    f"The mean absolute end change was {number(evaluation.mean_absolute_end_change_pct, 2)} %: that is what a correct "
                    f"direction "
                    "earns on average, before fees.",
                )
            ),
            Table(
                ("coin", "sha256 of the candles"),
                list(evaluation.candles.items()),
                "Candles",
                text_columns=2,
                folded=True,
            ),
        ),
    )


def _row(who: str, outputs: dict[str, OutputScores], direction: Accuracy, larger: Accuracy) -> tuple[str, ...]:
    return (who, *(number(outputs[name].r2) for name in OUTPUT_TITLES), right(direction), right(larger))


def _size_tone(reduction: tuple[float, float] | None) -> Tone:
    if reduction is None or reduction[0] <= 0 <= reduction[1]:
        return "neutral"
    return "good" if reduction[0] > 0 else "bad"


def _call_tone(share: Accuracy, baselines: list[BaselineAccuracy]) -> Tone:
    """Good is only what is better than a coin toss and than every baseline."""
    if share.interval_pct is None or share.interval_pct[0] <= _COIN_TOSS_PCT <= share.interval_pct[1]:
        return "neutral"
    if share.interval_pct[1] < _COIN_TOSS_PCT:
        return "bad"
    leads = [baseline.model_lead_interval_pct for baseline in baselines]
    return "good" if all(lead is None or lead[0] > 0 for lead in leads) else "neutral"


def _every(stride: int) -> str:
    return "every window" if stride == 1 else f"a window every {stride} candles"
