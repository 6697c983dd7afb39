"""What is known of a coin's trading at the close of a candle: its usual volume and range."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles

_ROWS_AT_ONCE = 2_000


def has_trades(candles: Candles) -> Mask:
    """`(n,)`: whether something was traded in each candle. Exchanges leave out candles without trades, or write them with a volume of 0."""
    return ~candles.filled & (candles.columns.volume > 0.0)


def next_traded(candles: Candles) -> Indices:
    """`(n + 1,)`: the first candle at or after each one in which something was traded; `n` if there is none."""
    count = len(candles)
    at = np.append(np.where(has_trades(candles), np.arange(count), count), count)
    following: Indices = np.minimum.accumulate(at[::-1])[::-1]
    return following


def quote_volume(candles: Candles) -> Values:
    """`(n,)`: the volume of each candle in the quote currency, at its close; 0 without trades."""
    return np.where(candles.filled, 0.0, candles.columns.volume * candles.columns.close)


def trailing_median(values: Values, at: Indices, window: int) -> Values:
    """The median of the last `window` values up to and including each index; of fewer at the beginning."""
    medians = np.empty(len(at))
    for rows, windows in _windows(values, at, window):
        middle = windows.shape[1] // 2
        if windows.shape[1] % 2:
            medians[rows] = np.partition(windows, middle, axis=1)[:, middle]
        else:
            medians[rows] = np.partition(windows, (middle - 1, middle), axis=1)[:, middle - 1 : middle + 1].mean(axis=1)
    return medians


def trailing_median_reaches(values: Values, at: Indices, window: int, threshold: float) -> Mask:
    """Whether the trailing median is surely at least the threshold: a fast check that may err on the side of False."""
    reaching = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values >= threshold, out=reaching[1:])
    first = np.maximum(at + 1 - window, 0)
    sure: Mask = 2 * (reaching[at + 1] - reaching[first]) > at + 1 - first + 1
    return sure


def trailing_range_bps(candles: Candles, at: Indices, window: int) -> Values:
    """The mean range (high minus low, in bps of the close) of the traded ones of the last `window` candles up to and including each index;
    0 if there are none.
    """
    traded = has_trades(candles)
    ranges = np.where(traded, 1e4 * (candles.columns.high - candles.columns.low) / candles.columns.close, 0.0)
    sums, counts = (np.append(0.0, np.cumsum(each, dtype=np.float64)) for each in (ranges, traded))
    first = np.maximum(at + 1 - window, 0)
    means: Values = (sums[at + 1] - sums[first]) / np.maximum(counts[at + 1] - counts[first], 1.0)
    return means


def _windows(values: Values, at: Indices, window: int) -> Iterator[tuple[Indices, Values]]:
    """Rows of `at`, with the values up to them, `(rows, window)`, or shorter at the beginning."""
    for row in np.flatnonzero(at + 1 < window).tolist():
        yield np.array([row]), values[np.newaxis, : at[row] + 1]
    complete = np.flatnonzero(at + 1 >= window)
    if len(complete):
        view = sliding_window_view(values, window)
        for first in range(0, len(complete), _ROWS_AT_ONCE):
            rows = complete[first : first + _ROWS_AT_ONCE]
            yield rows, view[at[rows] + 1 - window]
