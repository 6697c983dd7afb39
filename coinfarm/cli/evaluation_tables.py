"""An evaluation on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from coinfarm.evaluation.display_names import BASELINE_TITLES, between, number, percent
from coinfarm.models.evaluation_document import Accuracy, Evaluation, OutputScores
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES


def tables(evaluation: Evaluation) -> tuple[Table, Table]:
    """The model beside the baselines, and its calls by parts."""
    return _scores_table(evaluation), _calls_table(evaluation)


def evaluation_record_table(document: Mapping[str, Any]) -> Table:
    """The model beside its baselines, of an evaluation that was recorded (`coinfarm.models.evaluations`), in at most 80 columns."""
    table = Table(
        title=f"How good the model is: {document['frames']:,} frames from {document['from']} up to {document['to']},\n"
        "a period that it was not trained on (90 % intervals)",
        caption="R²: the share of the variance that is predicted; 0 is as good as a constant.\n"
        "Direction: how often the sign of the end change is predicted correctly.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("")
    for name in OUTPUT_NAMES:
        table.add_column(f"R² of\n{OUTPUT_TITLES[name]}", justify="right")
    table.add_column("direction\ncorrect", justify="right")
    rows = {"this model": document, **{BASELINE_TITLES.get(name, name): each for name, each in document["baselines"].items()}}
    for name, row in rows.items():
        scores = [row["outputs"][output] for output in OUTPUT_NAMES]
        direction = row["direction"].get("overall", row["direction"])
        table.add_row(
            name,
            *(_with_interval(number(score["r2"]), between(score.get("r2Interval"), 2)) for score in scores),
            _with_interval(percent(direction["rightPct"]), between(direction["intervalPct"] if row is document else None, 1)),
            style="bold" if row is document else "",
            end_section=row is document,
        )
    return table


def _with_interval(value: str, interval: str) -> str:
    return f"{value}\n{interval}" if interval else value


def _scores_table(evaluation: Evaluation) -> Table:
    model = evaluation.model
    table = Table(
        title=f"{model.name} {model.version} on {model.engine}: {evaluation.frames:,} frames from {evaluation.from_date} up to "
        f"{evaluation.to_date}",
        caption="R²: the share of the variance that is predicted. Direction, rise > decline: % of predictions that are right, with 90 % "
        "intervals.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    for title in OUTPUT_TITLES.values():
        table.add_column(f"R² {title}", justify="right")
    table.add_column("direction %", justify="right", no_wrap=True)
    table.add_column("rise > decline %", justify="right", no_wrap=True)

    def add(who: str, outputs: dict[str, OutputScores], direction: Accuracy, larger: Accuracy, style: str = "") -> None:
        table.add_row(who, *(number(outputs[name].r2) for name in OUTPUT_TITLES), _right(direction), _right(larger), style=style)

    add("this model", dict(evaluation.outputs), evaluation.direction.overall, evaluation.rise_over_decline.overall, style="bold")
    for name, baseline in evaluation.baselines.items():
        add(BASELINE_TITLES[name], dict(baseline.outputs), baseline.direction, baseline.rise_over_decline)
    return table


def _calls_table(evaluation: Evaluation) -> Table:
    table = Table(title="% of predictions that are right, by parts", title_justify="left")
    table.add_column("")
    table.add_column("frames", justify="right")
    table.add_column("direction %", justify="right", no_wrap=True)
    table.add_column("rise > decline %", justify="right", no_wrap=True)
    direction, larger = evaluation.direction, evaluation.rise_over_decline
    table.add_row("strongest 5 %", f"{direction.strongest.frames:,}", _right(direction.strongest), _right(larger.strongest))
    for title, parts, others in (
        ("{}", direction.by_coin, larger.by_coin),
        ("{}", direction.by_month, larger.by_month),
        ("volatility {}", direction.by_volatility, larger.by_volatility),
    ):
        for name, share in parts.items():
            table.add_row(title.format(name), f"{share.frames:,}", _right(share), _right(others[name]))
    return table


def _right(share: Accuracy) -> str:
    """How often predictions were right, in percent: `53.3 (52.5–54.1)`."""
    if share.right_pct is None:
        return "none"
    between = "" if share.interval_pct is None else f" ({share.interval_pct[0]:.1f}–{share.interval_pct[1]:.1f})"
    return f"{share.right_pct:.1f}{between}"
