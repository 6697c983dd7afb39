"""Simple features of windows, and the actual values of their horizons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.evaluation.har import SPANS
from coinfarm.targets import targets_pct
from image_render.spec import STANDARD
from image_render.windows import Columns

RETURN_PERIODS = (1, 5, 15, 60, 199)
_RECENT_CANDLES = 30
FEATURE_NAMES = (
    *(f"return over {count}" for count in RETURN_PERIODS),
    "range",
    "volatility",
    "recent volatility",
    "volume ratio",
)
_RANGE, _VOLATILITY = FEATURE_NAMES.index("range"), FEATURE_NAMES.index("volatility")


@dataclass(frozen=True, eq=False)
class Observations:
    """One observation per window, coin after coin, each oldest first.

    `close_time` `(n,)` is the window's last millisecond; `features` `(n, f)` are in the order of `FEATURE_NAMES`; `realised_volatility_pct`
    `(n, 3)` are the root mean squares of the last returns, over the spans of `coinfarm.evaluation.har`; `persistence_pct` `(n, 3)` are
    the same outputs, computed over the last candles of the window, as many as the horizon; `actual_pct` `(n, 3)` are the outputs of the
    horizon.
    """

    symbols: NDArray[np.str_]
    close_time: Times
    features: Values
    realised_volatility_pct: Values
    persistence_pct: Values
    actual_pct: Values

    def __len__(self) -> int:
        return len(self.close_time)

    @property
    def range_pct(self) -> Values:
        """Each window's price range, in percent of its last close."""
        return self.features[:, _RANGE]

    @property
    def volatility_pct(self) -> Values:
        """The standard deviation of the returns from candle to candle within the window, in percent."""
        return self.features[:, _VOLATILITY]

    def rows(self, chosen: NDArray[np.bool_]) -> "Observations":
        """The chosen observations."""
        return Observations(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @classmethod
    def concatenate(cls, parts: Sequence["Observations"]) -> "Observations":
        """The observations of all parts."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def observations_at(candles: Candles, starts: NDArray[np.int64], horizon_candles: int) -> Observations:
    """The windows that begin at `starts` `(n,)` of candles without gaps, each followed by a complete horizon.

    Only `actual_pct` depends on candles after the window.
    """
    window = STANDARD.window_candles
    last = starts + window - 1
    back = min(horizon_candles, window - 1)
    return Observations(
        symbols=np.full(len(starts), candles.symbol),
        close_time=candles.open_time[last] + candles.interval_ms - 1,
        features=_features(candles.columns, starts),
        realised_volatility_pct=_realised_volatilities(candles.columns, starts + window),
        persistence_pct=targets_pct(candles.columns, last - back, back),
        actual_pct=targets_pct(candles.columns, last, horizon_candles),
    )


def _features(columns: Columns, starts: NDArray[np.int64]) -> Values:
    """`(n, f)`, in the order of `FEATURE_NAMES`; returns, range and volatilities in percent."""
    window = STANDARD.window_candles
    stop = starts + window
    close = columns.close[stop - 1]
    features = [100.0 * (close / columns.close[stop - 1 - count] - 1.0) for count in RETURN_PERIODS]
    views = np.lib.stride_tricks.sliding_window_view
    highest = views(columns.high, window).max(axis=1)[starts]
    lowest = views(columns.low, window).min(axis=1)[starts]
    features.append(100.0 * (highest - lowest) / close)
    returns = _log_returns_pct(columns)
    features += [_deviations(returns, starts + 1, stop), _deviations(returns, stop - _RECENT_CANDLES, stop)]
    recent, complete = _means(columns.volume, stop - _RECENT_CANDLES, stop), _means(columns.volume, starts, stop)
    features.append(np.where(complete > 0, recent / np.where(complete > 0, complete, 1.0), 1.0))
    return np.column_stack(features)


def _realised_volatilities(columns: Columns, stop: NDArray[np.int64]) -> Values:
    """`(n, 3)`: the roots of the mean squared returns of the last candles before each `stop` `(n,)`, over `SPANS`."""
    squares = _log_returns_pct(columns) ** 2
    return np.sqrt(np.maximum(np.column_stack([_means(squares, stop - span, stop) for span in SPANS]), 0.0))


def _log_returns_pct(columns: Columns) -> Values:
    """From the candle before to each candle, `(n,)`; 0 for the first."""
    return 100.0 * np.diff(np.log(columns.close), prepend=np.log(columns.close[0]))


def _means(values: Values, first: NDArray[np.int64], stop: NDArray[np.int64]) -> Values:
    before = np.concatenate([[0.0], np.cumsum(values)])
    means: Values = (before[stop] - before[first]) / (stop - first)
    return means


def _deviations(values: Values, first: NDArray[np.int64], stop: NDArray[np.int64]) -> Values:
    variance = _means(values**2, first, stop) - _means(values, first, stop) ** 2
    return np.sqrt(np.maximum(variance, 0.0))
