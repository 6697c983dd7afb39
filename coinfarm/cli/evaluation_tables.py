"""The tables of an evaluation on a terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.models.evaluation_document import Evaluation, EvaluationRecord
from coinfarm.models.evaluation_scores import Accuracy, BaselineOutput, OutputScores
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, coins_text, percent_text, score_text


def tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """The outputs by interval, of each interval the scores with the baselines' and the outputs by coin; of one interval the accuracy by
    subset, too.
    """
    coins = [_coins_table(evaluation) for evaluation in evaluations if len(evaluation.by_coin) > 1]
    subsets = [_accuracy_table(evaluation) for evaluation in evaluations] if len(evaluations) == 1 else []
    return [_outputs_table(evaluations), *map(_scores_table, evaluations), *coins, *subsets]


def evaluation_record_table(record: EvaluationRecord) -> Table:
    """The scores of the model and the baselines in a stored evaluation, in at most 80 columns."""
    table = Table(
        title=f"Evaluation of the model: {record.frames:,} frames of {coins_text(sorted(record.candles), record.interval)}\n"
        f"from {record.from_date} up to {record.to_date}, a period that it was not trained on (90 % intervals)",
        caption="R²: the share of the variance that is predicted; 0 is as good as a constant.\n"
        "Direction: how often the sign of the end change is predicted correctly.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("")
    for name in OUTPUT_NAMES:
        table.add_column(f"R² of\n{OUTPUT_TITLES[name]}", justify="right")
    table.add_column("direction\naccuracy", justify="right")
    accuracy = record.direction.overall
    table.add_row(
        "this model",
        *(_lines(score_text(record.outputs[name].r2), bounds_text(record.outputs[name].r2_interval, 2)) for name in OUTPUT_NAMES),
        _lines(percent_text(accuracy.right_pct), bounds_text(accuracy.interval_pct, 1)),
        style="bold",
        end_section=True,
    )
    for baseline_name, baseline in record.baselines.items():
        r2 = (score_text(baseline.outputs[output].r2 if output in baseline.outputs else None) for output in OUTPUT_NAMES)
        table.add_row(BASELINE_TITLES.get(baseline_name, baseline_name), *r2, percent_text(baseline.direction.right_pct))
    return table


def _lines(value: str, interval: str) -> str:
    return f"{value}\n{interval}" if interval else value


def _outputs_table(evaluations: Sequence[Evaluation]) -> Table:
    table = Table(
        title="Outputs by interval, all coins together",
        caption=f"Slope: of what happened over what was predicted; 1 is well calibrated. Errors: squared errors compared with those of "
        f"{BASELINE_TITLES['gradientBoosting']}, frame by frame. 90 % intervals in brackets.",
        title_justify="left",
        caption_justify="left",
    )
    for title in ("", "output"):
        table.add_column(title, no_wrap=True)
    for title in ("R²", "slope", "errors against trees"):
        table.add_column(title, justify="right")
    for evaluation in evaluations:
        for name, title in OUTPUT_TITLES.items():
            output = evaluation.outputs[name]
            table.add_row(
                evaluation.interval_title if name == OUTPUT_NAMES[0] else "",
                title,
                _lines(score_text(output.r2), bounds_text(output.r2_interval)),
                _lines(score_text(output.calibration.slope, 2), bounds_text(output.calibration.slope_interval, 2)),
                _against_trees({key: baseline.outputs for key, baseline in evaluation.baselines.items()}, name),
                end_section=name == OUTPUT_NAMES[-1],
            )
    return table


def _coins_table(evaluation: Evaluation) -> Table:
    table = Table(
        title=f"Outputs by coin, {evaluation.interval_title}",
        caption="R², and squared errors compared with those of gradient boosting, with 90 % intervals.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    table.add_column("frames", justify="right")
    for title in (*(f"R² {title}" for title in OUTPUT_TITLES.values()), *(f"errors {title}" for title in OUTPUT_TITLES.values())):
        table.add_column(title, justify="right")
    for symbol, scores in evaluation.by_coin.items():
        table.add_row(
            symbol,
            f"{scores.frames:,}",
            *(_lines(score_text(scores.outputs[name].r2), bounds_text(scores.outputs[name].r2_interval, 2)) for name in OUTPUT_NAMES),
            *(_against_trees(scores.baselines, name) for name in OUTPUT_NAMES),
        )
    return table


def _against_trees(baselines: Mapping[str, Mapping[str, BaselineOutput]], output: str) -> str:
    """The model's squared errors compared with those of the trees: `−3.2 %`, and below it `[−4.1, −2.2]`."""
    scores = baselines.get("gradientBoosting", {}).get(output)
    if scores is None:
        return "–"
    change, bounds = scores.error_change_pct
    return _lines(percent_text(change), bounds_text(bounds, 1))


def _scores_table(evaluation: Evaluation) -> Table:
    model = evaluation.model
    table = Table(
        title=f"{model.name} {model.version} on {model.engine}: {evaluation.frames:,} frames of "
        f"{coins_text(sorted(evaluation.candles), evaluation.interval)} from {evaluation.from_date} up to {evaluation.to_date}",
        caption="R²: the share of the variance that is predicted. Direction, rise > decline: % of predictions that are correct, with 90 % "
        "intervals.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    for title in OUTPUT_TITLES.values():
        table.add_column(f"R² {title}", justify="right")
    table.add_column("direction %", justify="right", no_wrap=True)
    table.add_column("rise > decline %", justify="right", no_wrap=True)

    def add(title: str, outputs: Mapping[str, OutputScores], *accuracies: Accuracy, style: str = "") -> None:
        table.add_row(title, *(score_text(outputs[name].r2) for name in OUTPUT_TITLES), *map(_accuracy_text, accuracies), style=style)

    add("this model", evaluation.outputs, evaluation.direction.overall, evaluation.rise_over_decline.overall, style="bold")
    for name, baseline in evaluation.baselines.items():
        add(BASELINE_TITLES[name], baseline.outputs, baseline.direction, baseline.rise_over_decline)
    return table


def _accuracy_table(evaluation: Evaluation) -> Table:
    table = Table(title=f"Accuracy in %, by subset, {evaluation.interval}", title_justify="left")
    table.add_column("")
    table.add_column("frames", justify="right")
    table.add_column("direction %", justify="right", no_wrap=True)
    table.add_column("rise > decline %", justify="right", no_wrap=True)
    direction, rise_over_decline = evaluation.direction, evaluation.rise_over_decline

    def add(title: str, accuracy: Accuracy, other: Accuracy) -> None:
        table.add_row(title, f"{accuracy.frames:,}", _accuracy_text(accuracy), _accuracy_text(other))

    add("strongest 5 %", direction.strongest, rise_over_decline.strongest)
    for title, parts, others in (
        ("{}", direction.by_coin, rise_over_decline.by_coin),
        ("{}", direction.by_month, rise_over_decline.by_month),
        ("volatility {}", direction.by_volatility, rise_over_decline.by_volatility),
    ):
        for name, accuracy in parts.items():
            add(title.format(name), accuracy, others[name])
    return table


def _accuracy_text(accuracy: Accuracy) -> str:
    """In percent, with the interval: `53.3 (52.5–54.1)`."""
    if accuracy.right_pct is None:
        return "none"
    interval = "" if accuracy.interval_pct is None else f" ({accuracy.interval_pct[0]:.1f}–{accuracy.interval_pct[1]:.1f})"
    return f"{accuracy.right_pct:.1f}{interval}"
