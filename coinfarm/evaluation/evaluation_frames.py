"""The frames that a model is evaluated on: its predictions, and what happened afterwards."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import check_period, day_start_ms
from coinfarm.candles.filled_windows import crosses_gap, filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import canonical_intervals
from coinfarm.errors import CoinfarmError
from coinfarm.evaluation.features import Observations, observations_at
from coinfarm.models.evaluation_document import Counts
from coinfarm.models.manifest import Manifest
from coinfarm.models.training_data import TrainingData
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import window_count

FIT_STRIDE = 10
"""Candles between two windows that the baselines are fitted on: their labels overlap, so little is lost."""


@dataclass(frozen=True)
class EvaluationSpec:
    """What to evaluate: windows `stride` candles apart; windows and their horizons are in `[first_day, stop_day)`.

    `horizon_candles` is one of the model's horizons, None for the first.
    """

    first_day: date
    stop_day: date
    stride: int = 1
    include_in_sample: bool = False
    horizon_candles: int | None = None

    def __post_init__(self) -> None:
        check_period(self.first_day, self.stop_day)

    @property
    def period_text(self) -> str:
        return f"from {self.first_day} up to {self.stop_day}"

    def horizon_of(self, manifest: Manifest) -> int:
        """The horizon of the evaluation, in candles."""
        return self.horizon_candles or manifest.horizon_candles

    def candles_of(self, series: Candles) -> Candles:
        """The candles of the series within the period."""
        return series.between(day_start_ms(self.first_day), day_start_ms(self.stop_day))


@dataclass(frozen=True, eq=False)
class EvaluationFrames:
    """The evaluated frames: `observations`, predictions `predicted_pct` `(n, 3)`, and `counts`.

    `fit_observations` are the windows that baselines are fitted on, of all symbols together, None if there are none; they end before
    `fit_before_ms` of their symbol. A symbol without candles before its cutoff is not in it, and gets the baselines of the others.
    """

    observations: Observations
    predicted_pct: Values
    counts: Counts
    fit_observations: Observations | None
    fit_before_ms: dict[str, int]


def predict_frames(
    predictor: Predictor, series: Sequence[Candles], spec: EvaluationSpec, baseline_series: Sequence[Candles] = ()
) -> EvaluationFrames:
    """Predict the frames of the spec, and look up what happened afterwards.

    `baseline_series` are candles to fit the baselines on, for series whose own candles do not reach back far enough.
    Raises `CoinfarmError` if there is nothing to evaluate.
    """
    manifest = predictor.model.bundle.manifest
    horizon_candles = spec.horizon_of(manifest)
    count = len(OUTPUT_NAMES)
    first_output = count * manifest.horizons.index(horizon_candles)
    filled = [_filled(spec.candles_of(each), each.symbol, spec, horizon_candles) for each in series]
    observations, predicted = [], []
    windows = without_horizon = without_prediction = in_sample = across_gaps = 0
    predictions_by_series = predictor.predict_each(Series(candles, spec.stride) for candles in filled)
    for candles, predictions in zip(filled, predictions_by_series, strict=True):
        with_horizon = window_count(len(candles) - horizon_candles, STANDARD, spec.stride)
        values = predictions.values_pct[:with_horizon, first_output : first_output + count]
        evaluated = np.ones(with_horizon, np.bool_)
        if predictions.in_sample is not None and not spec.include_in_sample:
            evaluated = ~predictions.in_sample[:with_horizon]
        in_sample += int((~evaluated).sum())
        missing = evaluated & np.isnan(values[:, 0])
        evaluated &= ~missing
        starts = np.arange(with_horizon, dtype=np.int64) * spec.stride
        with_gap = evaluated & crosses_gap(candles, starts, STANDARD.window_candles + horizon_candles)
        evaluated &= ~with_gap
        windows += len(predictions)
        without_horizon += len(predictions) - with_horizon
        without_prediction += int(missing.sum())
        across_gaps += int(with_gap.sum())
        observations.append(observations_at(candles, starts[evaluated], horizon_candles))
        predicted.append(values[evaluated])
    joined = Observations.concatenate(observations)
    if not len(joined):
        raise CoinfarmError(_no_windows_message(windows, in_sample, spec))
    counts = Counts(
        windows=windows,
        evaluated=len(joined),
        in_sample=None if manifest.training is None else in_sample,
        without_prediction=without_prediction,
        without_horizon=without_horizon,
        across_gaps=across_gaps,
        effective=round(len(joined) * min(1.0, spec.stride / horizon_candles), 1),
    )
    before_ms = {each.symbol: _fit_before_ms(manifest.training, each.symbol, spec) for each in series}
    sources = {each.symbol: each for each in (*series, *baseline_series)}
    fits = {symbol: _fit_observations(sources[symbol], manifest.training, before, horizon_candles) for symbol, before in before_ms.items()}
    found = {symbol: fit for symbol, fit in fits.items() if fit is not None}
    fit_observations = Observations.concatenate(list(found.values())) if found else None
    return EvaluationFrames(joined, np.concatenate(predicted), counts, fit_observations, {symbol: before_ms[symbol] for symbol in found})


def by_interval(parts: Sequence[Candles]) -> dict[str, list[Candles]]:
    """Of each interval, from the shortest to the longest, one series per symbol, from files that may each have a part of it.

    Raises `CoinfarmError` if parts overlap.
    """
    intervals = canonical_intervals(part.interval for part in parts)
    return {interval: _join_by_symbol([part for part in parts if part.interval == interval]) for interval in intervals}


def _join_by_symbol(parts: Sequence[Candles]) -> list[Candles]:
    ordered = sorted((part for part in parts if len(part)), key=lambda part: (part.symbol, int(part.open_time[0])))
    return [_joined(symbol, list(of_symbol)) for symbol, of_symbol in groupby(ordered, key=lambda part: part.symbol)]


def digest(candles: Candles) -> str:
    """The sha256 over candles, gaps not filled: `open_time` and each of the five columns, little-endian."""
    content = hashlib.sha256(candles.open_time.astype("<i8").tobytes())
    for column in candles.columns:
        content.update(column.astype("<f8").tobytes())
    return content.hexdigest()


def _joined(symbol: str, parts: list[Candles]) -> Candles:
    candles = Candles.concatenate(symbol, parts[0].interval, parts)
    if (np.diff(candles.open_time) <= 0).any():
        raise CoinfarmError(f"the files of {symbol} {parts[0].interval} overlap: remove the duplicates")
    return candles


def _filled(candles: Candles, symbol: str, spec: EvaluationSpec, horizon_candles: int) -> Candles:
    needed = STANDARD.window_candles + horizon_candles
    filled = fill_gaps(candles)
    if len(filled) < needed:
        raise CoinfarmError(
            f"{symbol} has {len(candles)} candles {spec.period_text}, fewer than a window and its horizon ({needed}): "
            "choose another period, or leave out this symbol"
        )
    return filled


def _fit_before_ms(training: TrainingData | None, symbol: str, spec: EvaluationSpec) -> int:
    """The training cutoff, or the start of the period if the model's training data is unknown."""
    return day_start_ms(spec.first_day) if training is None else training.cutoff_of(symbol)


def _fit_observations(series: Candles, training: TrainingData | None, before_ms: int, horizon_candles: int) -> Observations | None:
    """The windows in the training period, with their horizons: none has a candle in common with an out-of-sample window."""
    start_ms = None if training is None else day_start_ms(training.from_date)
    candles = fill_gaps(series.between(start_ms, before_ms))
    starts = np.arange(0, len(candles) - STANDARD.window_candles - horizon_candles + 1, FIT_STRIDE, dtype=np.int64)
    if not len(starts):
        return None
    mostly_filled = is_mostly_filled(filled_counts(candles, starts, STANDARD.window_candles), STANDARD.window_candles)
    usable = ~mostly_filled & ~crosses_gap(candles, starts, STANDARD.window_candles + horizon_candles)
    return observations_at(candles, starts[usable], horizon_candles) if usable.any() else None


def _no_windows_message(windows: int, in_sample: int, spec: EvaluationSpec) -> str:
    if in_sample:
        return (
            f"{in_sample:,} of the {windows:,} windows {spec.period_text} begin before the model's training cutoff, "
            "and nothing is left to evaluate: choose later days, or use --include-in-sample"
        )
    return f"none of the {windows:,} windows {spec.period_text} can be evaluated: too many of their candles are missing"
