"""The frames that a model is judged on: what it says of them, through the predictor, and what happened."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.gaps import fill_gaps, filled_counts, is_mostly_filled
from coinfarm.errors import CoinfarmError
from coinfarm.evaluation.features import Observations, observations_at
from coinfarm.models.evaluation_document import Counts
from coinfarm.models.training_data import TrainingData
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import window_count

FIT_STRIDE = 10
"""Candles between two windows that the baselines learn from: their labels overlap, so little is lost."""


@dataclass(frozen=True)
class EvaluationSpec:
    """What is judged: windows `stride` candles apart that lie, with their horizons, from the day `start` up to `stop`, itself not in it."""

    start: date
    stop: date
    stride: int = 1
    include_in_sample: bool = False

    def __post_init__(self) -> None:
        if self.start >= self.stop:
            raise CoinfarmError(f"the period ends on {self.stop}, before it has begun, on {self.start}: the end is exclusive")

    def of(self, coin: Candles) -> Candles:
        """The candles of the period."""
        return coin.between(day_start_ms(self.start), day_start_ms(self.stop))


@dataclass(frozen=True, eq=False)
class EvaluationFrames:
    """`predicted_pct` `(n, 3)` of the `rows` that were judged, counted; `fit_rows` are those that the baselines learn from, if any."""

    rows: Observations
    predicted_pct: Values
    counts: Counts
    fit_rows: Observations | None
    fit_before_ms: dict[str, int]


def predict_frames(
    predictor: Predictor, coins: Sequence[Candles], terms: EvaluationSpec, baseline_coins: Sequence[Candles] = ()
) -> EvaluationFrames:
    """Predict what the terms ask for, and look up what happened.

    `baseline_coins` are candles for the baselines to learn from, of the coins whose own candles do not reach back far enough.
    Raises `CoinfarmError` where nothing is left to judge.
    """
    manifest = predictor.model.bundle.manifest
    whole = [_filled(terms.of(coin), coin.symbol, terms, manifest.horizon_candles) for coin in coins]
    judged, predicted = [], []
    windows = without_horizon = without_prediction = in_sample = 0
    predictions_of_each = predictor.predict_each(Series(candles, terms.stride) for candles in whole)
    for candles, predictions in zip(whole, predictions_of_each, strict=True):
        followed = window_count(len(candles) - manifest.horizon_candles, STANDARD, terms.stride)
        values = predictions.values_pct[:followed]
        kept = np.ones(followed, np.bool_)
        if predictions.in_sample is not None and not terms.include_in_sample:
            kept = ~predictions.in_sample[:followed]
        in_sample += int((~kept).sum())
        unknown = kept & np.isnan(values[:, 0])
        kept &= ~unknown
        windows += len(predictions)
        without_horizon += len(predictions) - followed
        without_prediction += int(unknown.sum())
        starts = np.flatnonzero(kept) * terms.stride
        judged.append(observations_at(candles, starts, manifest.horizon_candles))
        predicted.append(values[kept])
    rows = Observations.joined(judged)
    if not len(rows):
        raise CoinfarmError(_nothing_left(windows, in_sample, terms))
    counts = Counts(
        windows=windows,
        judged=len(rows),
        in_sample=None if manifest.training is None else in_sample,
        without_prediction=without_prediction,
        without_horizon=without_horizon,
        effective=round(len(rows) * min(1.0, terms.stride / manifest.horizon_candles), 1),
    )
    before_ms = {coin.symbol: _fit_before_ms(manifest.training, coin.symbol, terms) for coin in coins}
    sources = {coin.symbol: coin for coin in (*coins, *baseline_coins)}
    fits = [_fit_rows(sources[symbol], manifest.training, before, manifest.horizon_candles) for symbol, before in before_ms.items()]
    known = [fit for fit in fits if fit is not None]
    return EvaluationFrames(
        rows, np.concatenate(predicted), counts, Observations.joined(known) if len(known) == len(fits) else None, before_ms
    )


def join_by_symbol(parts: Sequence[Candles]) -> list[Candles]:
    """One series per symbol, out of files that may each hold a part of it.

    Raises `CoinfarmError` for parts of different intervals, or that overlap.
    """
    intervals = {part.interval for part in parts}
    if len(intervals) > 1:
        raise CoinfarmError(f"the candles are of different intervals ({', '.join(sorted(intervals))}): evaluate one at a time")
    ordered = sorted((part for part in parts if len(part)), key=lambda part: (part.symbol, int(part.open_time[0])))
    return [_joined(symbol, list(of_symbol)) for symbol, of_symbol in groupby(ordered, key=lambda part: part.symbol)]


def digest(candles: Candles) -> str:
    """The sha256 over candles as they were traded: `open_time` and each of the five columns, little-endian."""
    content = hashlib.sha256(candles.open_time.astype("<i8").tobytes())
    for column in candles.columns:
        content.update(column.astype("<f8").tobytes())
    return content.hexdigest()


def _joined(symbol: str, parts: list[Candles]) -> Candles:
    candles = Candles.concatenate(symbol, parts[0].interval, parts)
    if (np.diff(candles.open_time) <= 0).any():
        raise CoinfarmError(f"the files of {symbol} overlap: give each candle once")
    return candles


def _filled(candles: Candles, symbol: str, terms: EvaluationSpec, horizon_candles: int) -> Candles:
    needed = STANDARD.window_candles + horizon_candles
    filled = fill_gaps(candles)
    if len(filled) < needed:
        raise CoinfarmError(
            f"{symbol} has {len(candles)} candles from {terms.start} to {terms.stop}, fewer than a window and its horizon ({needed}): "
            "choose another period, or leave the coin out"
        )
    return filled


def _fit_before_ms(training: TrainingData | None, symbol: str, terms: EvaluationSpec) -> int:
    """Where the model does not tell what it has learnt from, the baselines learn from what lies before the period."""
    return day_start_ms(terms.start) if training is None else training.cutoff_of(symbol)


def _fit_rows(coin: Candles, training: TrainingData | None, before_ms: int, horizon_candles: int) -> Observations | None:
    """Windows that lie with their horizons where the model has learnt: none of their candles is in a window judged out of sample."""
    start_ms = None if training is None else day_start_ms(training.from_date)
    candles = fill_gaps(coin.between(start_ms, before_ms))
    starts = np.arange(0, len(candles) - STANDARD.window_candles - horizon_candles + 1, FIT_STRIDE, dtype=np.int64)
    if not len(starts):
        return None
    filled = filled_counts(candles, starts, STANDARD.window_candles)
    return observations_at(candles, starts[~is_mostly_filled(filled, STANDARD.window_candles)], horizon_candles)


def _nothing_left(windows: int, in_sample: int, terms: EvaluationSpec) -> str:
    if in_sample:
        return (
            f"{in_sample:,} of the {windows:,} windows from {terms.start} to {terms.stop} begin before the model's training cut-off, "
            "and nothing is left to judge: choose later days, or say --include-in-sample"
        )
    return f"none of the {windows:,} windows from {terms.start} to {terms.stop} has a prediction: too many of their candles are missing"
