"""Batches for the engine: several series share them, and each gets its own outputs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.filled_windows import filled_counts, is_mostly_filled
from coinfarm.outputs import further_horizons_of, output_names
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

if TYPE_CHECKING:
    from coinfarm.models.manifest import Output
    from coinfarm.models.training_data import TrainingData

EngineInputs = NDArray[np.uint8]
"""The input of an engine: frames, or the rows from which it renders frames."""


class PendingSeries:
    """A series being predicted: the windows to render, and the predictions so far."""

    def __init__(self, series: Series, further_horizons: tuple[int, ...] = ()) -> None:
        self.series = series
        self.further_horizons = further_horizons
        self.windows = windows(series.candles.columns, STANDARD, series.stride)
        self.starts = np.arange(len(series)) * series.stride
        self.filled_candles = filled_counts(series.candles, self.starts, STANDARD.window_candles)
        self.to_render = np.flatnonzero(~is_mostly_filled(self.filled_candles, STANDARD.window_candles))
        self.unpredicted = len(self.to_render)
        self.values_pct = np.full((len(series), len(output_names(further_horizons))), np.nan)

    def predictions(self, training: "TrainingData | None") -> Predictions:
        candles = self.series.candles
        open_time = candles.open_time[self.starts]
        close_time = open_time + STANDARD.window_candles * candles.interval_ms - 1  # the last millisecond, as exchanges define it
        in_sample = None
        if training is not None:
            in_sample = open_time < training.cutoff_of(candles.symbol)
        return Predictions(open_time, close_time, self.filled_candles, in_sample, self.values_pct, self.further_horizons)


class FrameBatch:
    """A buffer for one call of the engine, shared by as many series as fit."""

    def __init__(self, inputs: EngineInputs, render: Callable[..., EngineInputs]) -> None:
        """`render(windows, out=…)` fills a slice along the first axis of `inputs` `(frames, …)`."""
        self.inputs = inputs
        self._render = render
        self.clear()

    def clear(self) -> None:
        self.used = 0
        self._parts: list[tuple[PendingSeries, NDArray[np.intp], Values]] = []

    @property
    def is_full(self) -> bool:
        return self.used == len(self.inputs)

    def add(self, pending: PendingSeries, requested: NDArray[np.intp]) -> NDArray[np.intp]:
        """Render as many of the requested windows (indices) as fit; return the rest."""
        chosen, rest = np.split(requested, [len(self.inputs) - self.used])
        # A contiguous range is a slice, which is a view; other selections are copied.
        is_contiguous = chosen[-1] - chosen[0] == len(chosen) - 1
        part = slice(chosen[0], chosen[-1] + 1) if is_contiguous else chosen
        view = Columns(*(column[part] for column in pending.windows))
        self._render(view, out=self.inputs[self.used : self.used + len(chosen)])
        self._parts.append((pending, chosen, window_range_pct(view)))
        self.used += len(chosen)
        return rest

    def distribute(self, raw: NDArray[np.float32], outputs: "tuple[Output, ...]") -> None:
        """Store the engine's outputs `(used, outputs)` in the series that they belong to."""
        first = 0
        for pending, chosen, range_pct in self._parts:
            last = first + len(chosen)
            pending.values_pct[chosen] = in_percent(raw[first:last], outputs, range_pct)
            pending.unpredicted -= len(chosen)
            first = last


def in_percent(raw: NDArray[np.floating], outputs: "tuple[Output, ...]", range_pct: Values) -> Values:
    """Convert raw outputs `(N, outputs)` in the manifest's units and order to percent in the order of `output_names`."""
    names = output_names(further_horizons_of(tuple(output.name for output in outputs)))
    values = np.empty((len(raw), len(names)))
    for column, output in zip(raw.astype(np.float64).T, outputs, strict=True):
        if output.return_map is not None and not output.probabilities:
            column = np.interp(column, np.arange(len(output.return_map)), output.return_map)
        if output.factor is not None:
            column = column * output.factor
        if output.correction is not None:
            column = output.correction.apply(column, range_pct)
        if output.unit == "window_range":
            column = column * range_pct
        values[:, names.index(output.name)] = column
    return values
