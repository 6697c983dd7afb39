"""`coinfarm evaluate`: score a model on data that was not used in training."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import DAY, MODEL, check_interval, chosen_horizon, open_predictor, read_candles
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE
from coinfarm.cli.progress import progress_bar
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.candles.candles import Candles
    from coinfarm.evaluation.evaluation_frames import EvaluationFrames, EvaluationSpec
    from coinfarm.models.evaluation_document import Evaluation

_MULTI_FILE_OPTIONS = ("--candles", "--baseline-candles")


class _MultiFileCommand(click.Command):
    """Accepts several files after one option, as from a shell's wildcard."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(context, list(_repeat_option(args)))


@click.command(
    cls=_MultiFileCommand,
    epilog="Example: coinfarm evaluate --candles examples/DEMOUSD-1m.parquet --from 2026-01-02 --to 2026-01-04 --report build/scores.html",
)
@MODEL
@click.option("--version", help="The version to evaluate.  [default: the one in service]")
@click.option(
    "--candles",
    type=EXISTING_FILE,
    multiple=True,
    required=True,
    metavar="FILE...",
    help="The candles to evaluate it on, of one or several coins and intervals.",
)
@click.option("--from", "first_day", type=DAY, required=True, help="The first day, UTC.")
@click.option("--to", "stop_day", type=DAY, required=True, help="The day after the last, UTC.")
@click.option("--stride", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Candles between two windows.")
@click.option(
    "--baseline-candles",
    type=EXISTING_FILE,
    multiple=True,
    metavar="FILE...",
    help="Candles from the training period, to fit baselines on, if --candles has none.",
)
@click.option(
    "--horizon", type=click.IntRange(min=1), metavar="CANDLES", help="Which of the model's horizons to evaluate.  [default: its first]"
)
@click.option("--include-in-sample", is_flag=True, help="Include windows from the training period.")
@click.option("--symbol", help="The symbol, if the files' names do not contain it.")
@click.option("--interval", type=INTERVAL, help="The length of a candle (1m, 1h, …), if the files' names do not contain it.")
@click.option("--record", "record", is_flag=True, help="Store the evaluation with the version; model list and model promote use it.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole evaluation as JSON.")
@click.option("--report", type=FILE_TO_WRITE, metavar="HTML", help="Write a self-contained HTML page with plots.")
def evaluate(
    model_uri: str | None,
    version: str | None,
    candles: tuple[Path, ...],
    first_day: datetime,
    stop_day: datetime,
    stride: int,
    baseline_candles: tuple[Path, ...],
    horizon: int | None,
    include_in_sample: bool,
    symbol: str | None,
    interval: str | None,
    record: bool,
    as_json: bool,
    report: Path | None,
) -> None:
    """Score a model and simple baselines on a period.

    The files may be of several coins and intervals: each interval is evaluated on its own, over all its coins and by coin. Windows that
    begin before the model's training cutoff, or that cross a gap, are left out, and counted.
    """
    from coinfarm.cli.evaluation_tables import tables
    from coinfarm.evaluation.evaluation_frames import EvaluationSpec
    from coinfarm.evaluation.findings import summary

    if report is not None:
        from coinfarm.reports.packages import require_report_packages

        require_report_packages()
    root = _evaluation_root(model_uri, include_in_sample) if record else None
    spec = EvaluationSpec(first_day.date(), stop_day.date(), stride, include_in_sample, horizon)
    read = [(file.name, read_candles(file, symbol, interval)) for file in candles]
    evaluated = _evaluate(model_uri, version, read, [read_candles(file, symbol, interval) for file in baseline_candles], spec)
    evaluations = [evaluation for evaluation, _ in evaluated]
    if root is not None:
        from coinfarm.models.publish import record_evaluation
        from coinfarm.storage import open_storage

        for evaluation in evaluations:
            record_evaluation(open_storage(root), evaluation.model.version, evaluation.to_dict())
    if report is not None:
        from coinfarm.evaluation.evaluation_report import page

        page(evaluated).write(report)
    if as_json:
        documents = {evaluation.interval: evaluation.to_dict() for evaluation in evaluations}
        click.echo(json.dumps(documents if len(documents) > 1 else evaluations[0].to_dict()))
        return
    for evaluation in evaluations:
        findings = summary(evaluation)
        title = [] if len(evaluations) == 1 else [evaluation.interval]
        click.echo("\n".join([*title, findings.headline, "", *(f"- {reason}" for reason in findings.reasons), ""]))
    print_tables(*tables(evaluations))
    if report is not None:
        click.echo(report)


def _evaluate(
    model_uri: str | None, version: str | None, read: "list[tuple[str, Candles]]", baseline_candles: "list[Candles]", spec: "EvaluationSpec"
) -> "list[tuple[Evaluation, EvaluationFrames]]":
    """The evaluation of each interval, from the shortest to the longest. `read` are file names and candles."""
    from coinfarm.evaluation.evaluate import score_frames
    from coinfarm.evaluation.evaluation_frames import by_interval, predict_frames
    from coinfarm.scorecard.paper_trading import with_paper_trading

    series = by_interval([candles for _, candles in read])
    baseline_series = by_interval(baseline_candles)
    names = {interval: [name for name, candles in read if candles.interval == interval] for interval in series}
    expected_frames = sum(len(spec.candles_of(each)) for coins in series.values() for each in coins) // spec.stride
    found = []
    with on_interrupt("Nothing was stored. Run the same command again to start over."), progress_bar("frames", expected_frames) as update:
        predictor = open_predictor(model_uri, version, before_batch=lambda: update(predictor.timings.frames))
        chosen_horizon(predictor.model.bundle.manifest, spec.horizon_candles)
        for interval, coins in series.items():
            check_interval(predictor.model.bundle.manifest, interval, any_interval=True)
            frames = predict_frames(predictor, coins, spec, baseline_series.get(interval, []))
            evaluation = with_paper_trading(score_frames(frames, predictor, coins, spec, names[interval]), frames, coins, spec)
            found.append((evaluation, replace(frames, fit_observations=None)))  # as large as years of candles
    return found


def _evaluation_root(model_uri: str | None, include_in_sample: bool) -> str:
    from coinfarm.errors import NotFound
    from coinfarm.models.store import open_model_root
    from coinfarm.serving.settings import Settings

    if include_in_sample:
        raise click.UsageError(
            "a recorded evaluation has no windows from the training period: use --record or --include-in-sample, not both"
        )
    root = model_uri or Settings.from_environment(os.environ).model_uri
    try:
        open_model_root(root)
    except NotFound:
        raise click.UsageError(
            f"{root} is not a model root, so it cannot store evaluations: leave out --record, save the output of --json, and pass it to "
            "coinfarm model publish --evaluation"
        ) from None
    return root


def _repeat_option(arguments: list[str]) -> Iterator[str]:
    """`--candles A B` as `--candles A --candles B`."""
    option, taken = None, 0
    for argument in arguments:
        if argument.startswith("-"):
            option, taken = (argument if argument in _MULTI_FILE_OPTIONS else None), 0
        elif option is not None:
            if taken:
                yield option
            taken += 1
        yield argument
