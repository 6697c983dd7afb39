"""Batches on their way through an engine: series share them, and each gets its own outputs back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.gaps import filled_counts, is_mostly_filled
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

if TYPE_CHECKING:
    from coinfarm.models.manifest import Output
    from coinfarm.models.training_data import TrainingData

EngineInputs = NDArray[np.uint8]
"""What an engine is given: frames, or the rows that it draws them from."""


class PendingSeries:
    """A series on its way: which of its windows are drawn, and what is known of them."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.windows = windows(series.candles.columns, STANDARD, series.stride)
        self.starts = np.arange(len(series)) * series.stride
        self.filled_candles = filled_counts(series.candles, self.starts, STANDARD.window_candles)
        self.drawn = np.flatnonzero(~is_mostly_filled(self.filled_candles, STANDARD.window_candles))
        self.missing = len(self.drawn)
        self.values_pct = np.full((len(series), len(OUTPUT_NAMES)), np.nan)

    def predictions(self, training: "TrainingData | None") -> Predictions:
        candles = self.series.candles
        open_time = candles.open_time[self.starts]
        close_time = open_time + STANDARD.window_candles * candles.interval_ms - 1  # the last millisecond, as exchanges write it
        in_sample = None
        if training is not None:
            in_sample = open_time < training.cutoff_of(candles.symbol)
        return Predictions(open_time, close_time, self.filled_candles, in_sample, self.values_pct)


class FrameBatch:
    """Room for what the engine is given at once, shared by as many series as fit."""

    def __init__(self, inputs: EngineInputs, draw: Callable[..., EngineInputs]) -> None:
        """`draw(windows, out=…)` fills (a slice along the first axis of) `inputs`, which is `(frames, …)`."""
        self.inputs = inputs
        self._draw = draw
        self.empty()

    def empty(self) -> None:
        self.used = 0
        self._parts: list[tuple[PendingSeries, NDArray[np.intp], Values]] = []

    @property
    def full(self) -> bool:
        return self.used == len(self.inputs)

    def take(self, job: PendingSeries, wanted: NDArray[np.intp]) -> NDArray[np.intp]:
        """Draw as many of the wanted windows as there is room for; the rest is returned."""
        chosen, rest = np.split(wanted, [len(self.inputs) - self.used])
        # Windows without holes are a slice, which stays a view; others are gathered.
        unbroken = chosen[-1] - chosen[0] == len(chosen) - 1
        part = slice(chosen[0], chosen[-1] + 1) if unbroken else chosen
        drawn = Columns(*(column[part] for column in job.windows))
        self._draw(drawn, out=self.inputs[self.used : self.used + len(chosen)])
        self._parts.append((job, chosen, window_range_pct(drawn)))
        self.used += len(chosen)
        return rest

    def hand_out(self, raw: NDArray[np.float32], outputs: "tuple[Output, ...]") -> None:
        """Give each series its share of the engine's outputs `(used, outputs)`."""
        first = 0
        for job, chosen, range_pct in self._parts:
            last = first + len(chosen)
            job.values_pct[chosen] = in_percent(raw[first:last], outputs, range_pct)
            job.missing -= len(chosen)
            first = last


def in_percent(raw: NDArray[np.float32], outputs: "tuple[Output, ...]", range_pct: Values) -> Values:
    """Raw outputs `(N, outputs)`, in the manifest's units and order, as percent in the order of `OUTPUT_NAMES`."""
    values = np.empty((len(raw), len(OUTPUT_NAMES)))
    for column, output in zip(raw.astype(np.float64).T, outputs, strict=True):
        if output.return_map is not None:
            column = np.interp(column, np.arange(len(output.return_map)), output.return_map)
        if output.unit == "window_range":
            column = column * range_pct
        values[:, OUTPUT_NAMES.index(output.name)] = column
    return values
