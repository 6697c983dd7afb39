"""The sections of an evaluation's page that compare intervals, and coins within an interval."""

from collections.abc import Mapping, Sequence

from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.models.evaluation_scores import BaselineOutput, ConfidenceInterval
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, coins_text, percent_text, score_text
from coinfarm.reports.page import Prose, Section, Table

_TREES = "gradientBoosting"
_COLUMNS = ("R²", "slope", "intercept, %", "errors against trees")


def intervals_section(evaluations: Sequence[Evaluation]) -> Section:
    """The outputs of the model by interval, all coins together."""
    rows = []
    for evaluation in evaluations:
        baselines = {name: baseline.outputs for name, baseline in evaluation.baselines.items()}
        for name, title in OUTPUT_TITLES.items():
            output = evaluation.outputs[name]
            line = (output.calibration.slope, output.calibration.slope_interval, output.calibration.intercept_pct)
            scores = _cells(output.r2, output.r2_interval, line, baselines, name)
            rows.append((evaluation.interval_title, title, f"{evaluation.frames:,}", *scores))
    coins = [f"{evaluation.interval}: {coins_text(sorted(evaluation.candles), None)}." for evaluation in evaluations]
    return Section(
        "By interval",
        (
            Prose((" ".join(coins), "An interval that the model was not trained on is marked.")),
            Table(
                ("interval", "output", "frames", *_COLUMNS),
                rows,
                "The slope is that of outcomes over predictions, 1 if well calibrated. Errors are squared errors compared with those of "
                "gradient boosting, frame by frame. 90 % intervals in brackets.",
                text_columns=2,
            ),
        ),
    )


def coins_section(evaluation: Evaluation) -> Section:
    """The outputs of the model by coin, and R² of the baselines."""
    rows, baseline_rows = [], []
    for symbol, scores in evaluation.by_coin.items():
        for name, title in OUTPUT_TITLES.items():
            output = scores.outputs[name]
            line = (output.slope, output.slope_interval, output.intercept_pct)
            rows.append((symbol, title, f"{scores.frames:,}", *_cells(output.r2, output.r2_interval, line, scores.baselines, name)))
            r2 = (score_text(baseline[name].r2) for baseline in scores.baselines.values())
            baseline_rows.append((symbol, title, score_text(output.r2), *r2))
    names = next(iter(evaluation.by_coin.values())).baselines
    return Section(
        "By coin",
        (
            Table(("coin", "output", "frames", *_COLUMNS), rows, "The model, by coin, with 90 % intervals", text_columns=2),
            Table(
                ("coin", "output", "this model", *(BASELINE_TITLES[name] for name in names)),
                baseline_rows,
                "R² of the model and the baselines, by coin",
                text_columns=2,
                collapsed=True,
            ),
        ),
    )


def _cells(
    r2: float | None,
    r2_interval: ConfidenceInterval | None,
    line: tuple[float | None, ConfidenceInterval | None, float | None],
    baselines: Mapping[str, Mapping[str, BaselineOutput]],
    name: str,
) -> tuple[str, ...]:
    slope, slope_interval, intercept = line
    trees = baselines.get(_TREES, {}).get(name)
    return (
        f"{score_text(r2)} {bounds_text(r2_interval)}".rstrip(),
        f"{score_text(slope, 2)} {bounds_text(slope_interval, 2)}".rstrip(),
        score_text(intercept),
        "–" if trees is None else percent_text(*trees.error_change_pct),
    )
