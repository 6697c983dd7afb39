"""Backfill and backtest of a selection of candles. What an interrupted call finished is not repeated by the next one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.backfill.collect import collect
from coinfarm.backfill.estimate import ComputeLimits
from coinfarm.backfill.plan import BackfillSpec, measure_speed, plan_run
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.window_outcomes import WindowCounts
from coinfarm.backtesting.backtest import BOOTSTRAP_SAMPLES, StageProgress, backtest, no_progress
from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.interval_map.interval_map import IntervalMap, interval_map
from coinfarm.backtesting.strategy import Strategy
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.pipeline.candle_selection import CandleSelection
from coinfarm.storage import open_storage

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor

SYNTHETIC_NOTE = "These candles are synthetic: the verdict says nothing about a market. Pass files of real candles for that."
_PLANTED_NOTE = (
    "An edge is planted: after every window the price drifts by {:g} bps over the horizon in the direction of its prediction, which a "
    "trade that is closed earlier earns a part of. The check for leaks, which would find that, is left out."
)


@dataclass(frozen=True, eq=False)
class PipelineResult:
    """The backtest, the counts of windows by outcome, and the file of all predictions."""

    backtest: BacktestResult
    windows: WindowCounts
    predictions: Path


def plan_backfill(selection: CandleSelection, predictor: "Predictor", model_uri: str | None) -> Run:
    """Plan the run over the selection with the current model, and measure this machine's speed, unless that was done before.

    Runs over other days of the same candles share their results, so no window is predicted twice.
    """
    version = predictor.model.version
    candles, results = open_storage(selection.candles_root), open_storage(str(selection.folder / "results"))
    # A manifest never changes: if the model or the folder has moved, it is another run with the same results.
    identity = "\n".join([version, str(model_uri), candles.uri(), results.uri(), selection.interval])
    name = f"{selection.first_day}-{selection.stop_day}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    run = Run.at(str(selection.folder / "runs" / name))
    if not _is_planned(run):
        spec = BackfillSpec(
            symbols=selection.symbols,
            interval=selection.interval,
            first_day=selection.first_day,
            stop_day=selection.stop_day,
            stride=selection.stride,
            model_uri=model_uri,
            model_version=version,
            candles=candles,
            results=results,
        )
        run.write(plan_run(spec, measure_speed(predictor), ComputeLimits(), "here"))
    return run


def collect_and_backtest(selection: CandleSelection, run: Run, progress: StageProgress = no_progress) -> PipelineResult:
    """Collect the run's predictions into one file, and backtest them with the default strategy.

    A model that was trained on another interval is allowed, with a warning.

    Raises `CoinfarmError` if a shard of the run is missing, or no prediction can be tested.
    """
    predictions = Path(run.storage.uri("predictions.parquet"))
    outcomes = collect(run, predictions, partial(progress, "collecting"))
    if outcomes.missing:
        raise CoinfarmError(
            f"{len(outcomes.missing):,} shards have no complete result, the first is {outcomes.missing[0]}: run the same command again"
        )
    result = backtest(
        str(predictions),
        selection.candles_root,
        Strategy(),
        allow_mismatch=True,
        check_leaks=selection.planted_bps is None,
        progress=progress,
    )
    result = replace(result, model=run.manifest.model_version)
    return PipelineResult(_with_notes(result, selection), outcomes.total, predictions)


def map_intervals(selections: Sequence[CandleSelection], results: Sequence[BacktestResult]) -> IntervalMap:
    """The map of the backtests of these selections, of different intervals."""
    found = interval_map(results, BOOTSTRAP_SAMPLES)
    of_interval = {each.interval: each for each in selections}
    return IntervalMap(tuple(replace(each, result=_with_notes(each.result, of_interval[each.interval])) for each in found.intervals))


def selection_notes(selection: CandleSelection) -> tuple[str, ...]:
    """What a reader has to know about the candles."""
    planted = () if selection.planted_bps is None else (_PLANTED_NOTE.format(selection.planted_bps),)
    return (SYNTHETIC_NOTE, *planted) if selection.synthetic else ()


def _with_notes(result: BacktestResult, selection: CandleSelection) -> BacktestResult:
    reasons = dict.fromkeys((*selection_notes(selection), *result.verdict.reasons))  # each note once
    return replace(result, verdict=replace(result.verdict, reasons=tuple(reasons)))


def _is_planned(run: Run) -> bool:
    try:
        _ = run.manifest  # reads the file
    except NotFound:
        return False
    return True
