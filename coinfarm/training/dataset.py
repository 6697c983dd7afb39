"""Samples: windows with the horizons after them, all within one period. Columns are kept, pixels are drawn when asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles import Candles, Values, fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.labels import targets_pct
from coinfarm.training.config import Period, TargetUnit
from image_render.draw import Frames, draw_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct

_MOST_CANDLES = 100_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Windows of several coins in one period.

    `starts` `(n,)` says where each window begins in the concatenated `series`, `symbols` `(n,)` which coin it is of;
    `range_pct` `(n,)` is the window's own price range and `targets_pct` `(n, 3)` what followed, both in percent of its last close.
    """

    series: Columns
    starts: NDArray[np.int64]
    symbols: NDArray[np.str_]
    range_pct: Values
    targets_pct: Values

    def __len__(self) -> int:
        return len(self.starts)

    def targets(self, unit: TargetUnit) -> Values:
        """What followed, `(n, 3)`, in percent or as a share of the window's own range."""
        return self.targets_pct / self.range_pct[:, None] if unit == "window_range" else self.targets_pct

    def frames(self, chosen: NDArray[np.int64]) -> Frames:
        """The frames of the chosen samples, `uint8` `(n, 200, 150, 3)`."""
        candles = self.starts[chosen, None] + np.arange(STANDARD.window_candles)
        return draw_frames(Columns(*(column[candles] for column in self.series)))


def samples(coins: list[Candles], period: Period, horizon_candles: int, stride: int = 1) -> Samples:
    """Every `stride`-th window of the coins that lies within the period together with its horizon.

    No candle of one period is seen in another, be it as a feature or in a label: between the last window that ends before a
    boundary and the first that ends after it lie a window and a horizon of candles, the purge.
    Windows that are filled by more than half, or have no price range (nothing to scale by), are left out.
    Raises `CoinfarmError` for a coin without candles enough in the period.
    """
    parts = [_coin_samples(coin, period, horizon_candles, stride) for coin in coins]
    offsets = np.cumsum([0, *(len(part.series.close) for part in parts[:-1])])
    return Samples(
        series=Columns(*(np.concatenate(columns) for columns in zip(*(part.series for part in parts), strict=True))),
        starts=np.concatenate([part.starts + offset for part, offset in zip(parts, offsets, strict=True)]),
        symbols=np.concatenate([part.symbols for part in parts]),
        range_pct=np.concatenate([part.range_pct for part in parts]),
        targets_pct=np.concatenate([part.targets_pct for part in parts]),
    )


def _coin_samples(coin: Candles, period: Period, horizon_candles: int, stride: int) -> Samples:
    candles = fill_gaps(coin.between(period.start_ms, period.stop_ms), _MOST_CANDLES)
    window = STANDARD.window_candles
    if len(candles) < window + horizon_candles:
        raise CoinfarmError(
            f"{coin.symbol} has {len(candles)} candles from {period.start} to {period.stop}, fewer than a window and its horizon: "
            "choose another period, or leave the coin out"
        )
    starts = np.arange(0, len(candles) - window - horizon_candles + 1, stride, dtype=np.int64)
    filled_before = np.concatenate([[0], np.cumsum(candles.filled)])
    mostly_real = 2 * (filled_before[starts + window] - filled_before[starts]) <= window
    range_pct = np.empty(len(starts))
    for first in range(0, len(starts), 10_000):  # bounded: a month of windows at once would be 70 MB a column
        part = slice(first, first + 10_000)
        every = starts[part, None] + np.arange(window)
        range_pct[part] = window_range_pct(Columns(*(column[every] for column in candles.columns)))
    kept = mostly_real & (range_pct > 0)
    starts, range_pct = starts[kept], range_pct[kept]
    targets = targets_pct(candles.columns, starts + window - 1, horizon_candles)
    return Samples(candles.columns, starts, np.full(len(starts), coin.symbol), range_pct, targets)
