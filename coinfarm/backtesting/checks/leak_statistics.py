"""What predictions know about later candles that their windows do not explain.

Both the predictions and what they are compared with are divided by the volatility of the window, so that quiet and wild times count alike.
What a linear model of the window's features explains is subtracted from the predictions: what is left is what they say beyond them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from coinfarm.backtesting.predicted_coin import DECLINE, END, RISE, Indices, PredictedCoin
from coinfarm.candles.arrays import Values
from image_render.windows import Columns

FEATURE_CANDLES = 199
"""The candles before the signal's that the features use."""
MAX_ROWS = 25_000
"""Evenly spread rows of all coins: enough for every threshold."""
MIN_ROWS = 600
"""Fewer rows say too little beyond the features."""
_TIME_BLOCKS = 40
_SINGLE_CANDLES = 4
_RETURN_PERIODS = (5, 10, 15, 30, 60, 120, 199)
_VOLATILITY_PERIODS = (5, 15, 30, 60, 120)
_RANGE_PERIODS = (5, 30, 199)
_MAX_SCALED = 30.0
_MAX_SCALED_CANDLE = 8.0
_MAX_DEVIATIONS = 8.0
_MIN_VOLATILITY_PCT = 1e-4


@dataclass(frozen=True)
class Relation:
    """A correlation, or a difference of two, and its standard error, in which times of the same block may depend on each other."""

    value: float
    error: float

    def exceeds(self, limit: float, deviations: float) -> bool:
        """Whether it is above the limit, and that many standard errors above 0."""
        return self.value > limit and self.value > deviations * self.error


@dataclass(frozen=True, eq=False)
class FutureKnowledge:
    """Rows of all coins. `predicted` and `outcome` `(n, 3)` are the end change, rise + decline (the asymmetry) and rise − decline (the
    range), beyond the window's features; `returns` and `ranges` `(n, lags)` are of single candles from the first after the signal on.

    All columns have mean 0 and standard deviation 1. `block` `(n,)` is the number of the row's time block.
    """

    predicted: Values
    outcome: Values
    returns: Values
    ranges: Values
    block: Indices

    @classmethod
    def of(cls, coins: Sequence[PredictedCoin], horizon_candles: int, lags: int) -> "FutureKnowledge | None":
        """None if fewer than `MIN_ROWS` rows can be used."""
        step = max(1, -(-sum(map(len, coins)) // MAX_ROWS))
        parts = [part for coin in coins if (part := _part(coin, step, horizon_candles, lags)) is not None]
        if not parts or sum(len(part[0]) for part in parts) < MIN_ROWS:
            return None
        time, features, predicted, outcome, returns, ranges = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        basis = np.linalg.qr(np.column_stack([np.ones(len(features)), features]))[0]
        beyond = [_standardised(values - basis @ (basis.T @ values)) for values in (_clipped(predicted), _clipped(outcome))]
        start, stop = time.min(), time.max() + 1
        block = ((time - start) * _TIME_BLOCKS / (stop - start)).astype(np.int64)
        return cls(beyond[0], beyond[1], _standardised(returns), _standardised(ranges), block)

    def relation(self, first: Values, second: Values) -> Relation:
        """The mean product of two columns."""
        product = first * second
        blocks = self.block.max() + 1
        sums, counts = np.bincount(self.block, product, blocks), np.bincount(self.block, minlength=blocks)
        mean = float(product.mean())
        used = int((counts > 0).sum())
        error = sqrt(float(((sums - counts * mean) ** 2).sum()) * used / max(used - 1, 1)) / len(product)
        return Relation(mean, error)

    def drop_after(self, predicted: Values, candles: Values, lag: int, next_lags: int) -> Relation:
        """How much stronger the relation to the candle `lag` after the signal (from 1 on) is than to the next ones; negative if weaker."""
        own, later = candles[:, lag - 1], candles[:, lag : lag + next_lags].mean(axis=1)
        difference = self.relation(predicted, own - later)
        sign = 1.0 if abs(self.relation(predicted, own).value) > abs(self.relation(predicted, later).value) else -1.0
        return Relation(sign * abs(difference.value), difference.error)


def _part(coin: PredictedCoin, step: int, horizon_candles: int, lags: int) -> tuple[Values, ...] | None:
    """The time, features, predictions, outcomes, returns and ranges of every `step`-th row of a coin; None if there are none."""
    columns = coin.candles.columns
    last = len(coin.candles) - 1 - max(lags, horizon_candles)
    rows = np.flatnonzero((coin.signal >= FEATURE_CANDLES) & (coin.signal <= last))[::step]
    signal = coin.signal[rows]
    squares = np.concatenate([[0.0], np.cumsum(np.diff(_log_pct(columns.close), prepend=_log_pct(columns.close[:1])) ** 2)])
    volatility = _root_mean(squares, signal, FEATURE_CANDLES)
    used = volatility > _MIN_VOLATILITY_PCT
    rows, signal, volatility = rows[used], signal[used], volatility[used]
    if not len(rows):
        return None
    chosen = np.zeros(len(coin), np.bool_)
    chosen[rows] = True
    part = coin.rows(chosen)
    following = [_candle(columns, signal + lag, volatility) for lag in range(1, lags + 1)]
    return (
        part.signal_ms.astype(np.float64),
        _features(columns, signal, volatility, squares),
        _end_asymmetry_range(part.predicted_pct) / volatility[:, None],
        _end_asymmetry_range(part.actual_pct(horizon_candles)) / volatility[:, None],
        np.column_stack([_limited(change) for change, _, _ in following]),
        np.column_stack([_limited(above + below) for _, above, below in following]),
    )


def _end_asymmetry_range(values_pct: Values) -> Values:
    rise, decline, end = values_pct[:, RISE], values_pct[:, DECLINE], values_pct[:, END]
    return np.column_stack([end, rise + decline, rise - decline])


def _features(columns: Columns, signal: Indices, volatility: Values, squares: Values) -> Values:
    """`(n, f)`: single candles, and changes, volatilities and ranges over several periods, in units of the window's volatility."""
    features: list[Values] = []
    for back in range(_SINGLE_CANDLES):
        change, above, below = _candle(columns, signal - back, volatility)
        features += [change, above, below, np.abs(change)]
    close = _log_pct(columns.close)
    features += [(close[signal] - close[signal - count]) / volatility for count in _RETURN_PERIODS]
    features += [_root_mean(squares, signal, count) / volatility for count in _VOLATILITY_PERIODS]
    ranges = np.concatenate([[0.0], np.cumsum(_log_pct(columns.high) - _log_pct(columns.low))])
    features += [(ranges[signal + 1] - ranges[signal + 1 - count]) / count / volatility for count in _RANGE_PERIODS]
    features.append(np.log(volatility))
    scaled: Values = np.clip(np.column_stack(features), -_MAX_SCALED, _MAX_SCALED)
    return scaled


def _candle(columns: Columns, at: Indices, volatility: Values) -> tuple[Values, Values, Values]:
    """The change to the close, and how far the high is above and the low below it."""
    close = _log_pct(columns.close[at])
    changes = close - _log_pct(columns.close[at - 1]), _log_pct(columns.high[at]) - close, close - _log_pct(columns.low[at])
    return changes[0] / volatility, changes[1] / volatility, changes[2] / volatility


def _root_mean(squares: Values, signal: Indices, count: int) -> Values:
    mean: Values = np.sqrt(np.maximum(squares[signal + 1] - squares[signal + 1 - count], 0.0) / count)
    return mean


def _log_pct(prices: Values) -> Values:
    values: Values = 100.0 * np.log(prices)
    return values


def _limited(values: Values) -> Values:
    limited: Values = np.clip(values, -_MAX_SCALED_CANDLE, _MAX_SCALED_CANDLE)
    return limited


def _clipped(values: Values) -> Values:
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    clipped: Values = np.clip(values, mean - _MAX_DEVIATIONS * deviation, mean + _MAX_DEVIATIONS * deviation)
    return clipped


def _standardised(values: Values) -> Values:
    """With mean 0 and standard deviation 1; constant columns are 0."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    scaled: Values = np.where(deviation > 1e-9, centred / np.maximum(deviation, 1e-9), 0.0)
    return scaled
