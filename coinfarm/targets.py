"""Training targets: the price extremes and the last price of the horizons after each window."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from image_render.windows import Columns

_FLIPPED_ORDER = [1, 0, 2]
"""The source column of each target of a horizon after a vertical flip, which also negates all values."""


def targets_pct(series: Columns, last_candles: NDArray[np.int64], horizon_candles: int) -> Values:
    """`(n, 3)`: maxRisePct, maxDeclinePct and endChangePct after the windows whose last candles are at `last_candles`, `(n,)`.

    In percent of the last candle's close, signed, over the `horizon_candles` that follow it:
    `100 * (max(high) / close - 1)`, `100 * (min(low) / close - 1)`, `100 * (last close / close - 1)`.
    """
    following = last_candles + 1
    close = series.close[last_candles]
    highest = sliding_window_view(series.high, horizon_candles).max(axis=1)[following]
    lowest = sliding_window_view(series.low, horizon_candles).min(axis=1)[following]
    end = series.close[last_candles + horizon_candles]
    return 100.0 * (np.stack([highest, lowest, end], axis=1) / close[:, None] - 1.0)


def targets_of_horizons_pct(series: Columns, last_candles: NDArray[np.int64], horizons: Sequence[int]) -> Values:
    """`(n, 3 * horizons)`: `targets_pct` of each horizon, side by side."""
    return np.concatenate([targets_pct(series, last_candles, horizon) for horizon in horizons], axis=1)


def flip_targets(targets: Values) -> Values:
    """The targets `(n, 3 * horizons)` of the chart flipped vertically: a rise becomes a decline.

    Exact in `window_range` units, approximate in percent.
    """
    by_horizon = targets.reshape(len(targets), -1, len(_FLIPPED_ORDER))
    return -by_horizon[..., _FLIPPED_ORDER].reshape(targets.shape)
