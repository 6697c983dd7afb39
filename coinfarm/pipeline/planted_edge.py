"""Synthetic candles with a known edge: the market follows the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.pipeline.candle_selection import CandleSelection, OnDays
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import Columns

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor

_END = OUTPUT_NAMES.index("endChangePct")
_WINDOW = STANDARD.window_candles


@dataclass(frozen=True)
class PlantedEdge:
    """After every window that is predicted, the price drifts by `bps` over the horizon, in the direction of the predicted end change.

    One window is predicted for every horizon, since those of overlapping horizons would share their drifts. What a window shows is never
    changed after its prediction, so nothing looks ahead.
    """

    predictor: "Predictor"
    bps: float

    def __str__(self) -> str:
        return f"edge-{self.bps:g}-{self.predictor.model.version}"

    @property
    def horizon_candles(self) -> int:
        return self.predictor.model.bundle.manifest.horizon_candles

    def select(self, selection: CandleSelection) -> CandleSelection:
        """Of the selection the windows that the candles follow."""
        return replace(selection, stride=self.horizon_candles, planted_bps=self.bps)

    def plant(self, series: Sequence[Candles], on_days: OnDays = lambda *_: None) -> list[Candles]:
        """The candles of all coins with the edge. They have the same times, and no gaps."""
        horizon, count = self.horizon_candles, len(series[0])
        planted = [replace(candles, columns=Columns(*map(np.copy, candles.columns))) for candles in series]
        drift = np.zeros(len(series))
        candle = series[0].open_time // series[0].interval_ms
        # The windows of a backfill with this stride: their last candle is every N-th since the epoch.
        signals = _WINDOW - 1 + np.flatnonzero((candle[_WINDOW - 1 :] + 1) % horizon == 0)
        days = -(-count * series[0].interval_ms // DAY_MS)
        for signal in signals.tolist():
            windows = [Series(candles[signal + 1 - _WINDOW : signal + 1]) for candles in planted]
            direction = [np.sign(found.values_pct[0, _END]) for found in self.predictor.predict_each(windows)]
            step = np.array(direction) * self.bps / 1e4 / horizon
            stop = min(count, signal + 1 + horizon)
            for at, candles in enumerate(planted):
                _shift(candles.columns, slice(signal + 1, stop), drift[at] + step[at] * np.arange(stop - signal))
            drift += step * horizon
            on_days(min(days, days * stop // count), days)
        return planted


def _shift(columns: Columns, part: slice, log_shift: Values) -> None:
    """Shift the candles of `part` in place: `log_shift` is the logarithm at each of their opens, and at the last close."""
    before, after = np.exp(log_shift[:-1]), np.exp(log_shift[1:])
    columns.open[part] *= before
    columns.close[part] *= after
    middle = np.sqrt(before * after)
    columns.high[part] = np.maximum(columns.high[part] * middle, np.maximum(columns.open[part], columns.close[part]))
    columns.low[part] = np.minimum(columns.low[part] * middle, np.minimum(columns.open[part], columns.close[part]))
