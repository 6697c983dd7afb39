"""The candles of `coinfarm verdict`: of files, or synthetic ones."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.progress import progress_bar
from coinfarm.reports.formatting import coins_text

if TYPE_CHECKING:
    from coinfarm.models.training_data import TrainingData
    from coinfarm.pipeline.candle_selection import CandleSelection
    from coinfarm.prediction.predictor import Predictor


@dataclass(frozen=True)
class CandleChoice:
    """The options that say which candles are tested. Without files they are synthetic; without intervals, those of the files."""

    files: tuple[Path, ...]
    intervals: tuple[str, ...]
    edge_bps: float | None
    output: Path
    first_day: date | None
    stop_day: date | None


def select_candles(choice: CandleChoice, predictor: "Predictor") -> "list[CandleSelection]":
    """Store the candles, and say on stderr which."""
    training = predictor.model.bundle.manifest.training
    return _imported(choice, training) if choice.files else _synthetic(choice, predictor, training)


def _imported(choice: CandleChoice, training: "TrainingData | None") -> "list[CandleSelection]":
    from coinfarm.pipeline.imported_selection import import_candle_files

    _log(f"Candles: {', '.join(map(str, choice.files))}")
    with progress_bar("days") as on_days:
        selections = import_candle_files(
            choice.output, choice.files, choice.intervals, training, choice.first_day, choice.stop_day, on_days
        )
    for selection in selections:
        _log(f"  {coins_text(selection.symbols, selection.interval)} in {selection.candles_root}")
        if choice.first_day is None:
            why = "the model's training data is unknown" if training is None else "the model was trained on earlier candles"
            _log(f"  From {selection.first_day} on: {why}.")
    return selections


def _synthetic(choice: CandleChoice, predictor: "Predictor", training: "TrainingData | None") -> "list[CandleSelection]":
    from coinfarm.pipeline.planted_edge import PlantedEdge
    from coinfarm.pipeline.synthetic_selection import store_synthetic_candles

    planted = None if choice.edge_bps is None else PlantedEdge(predictor, choice.edge_bps)
    _log("Candles: synthetic candles, which say nothing about a market; pass files of candles for a real one")
    if planted is not None:
        _log(f"  They follow the model, with an edge of {planted.bps:g} bps: one window in {planted.horizon_candles} is predicted")
    with progress_bar("days") as on_days:
        selections = store_synthetic_candles(
            choice.output, choice.intervals or ("1m",), training, choice.first_day, choice.stop_day, on_days, planted
        )
    for selection in selections:
        days = (selection.stop_day - selection.first_day).days
        _log(f"  {coins_text(selection.symbols, selection.interval)}, {days} days, in {selection.candles_root}")
    return selections


def _log(line: str) -> None:
    click.echo(line, err=True)
