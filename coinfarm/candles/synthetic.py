"""Synthetic candles that resemble a market's, for demonstrations, tests and benchmarks.

Returns follow a stochastic volatility model: the logarithm of the volatility is a sum of autoregressions with half-lives of minutes,
half a day and a month; the shocks have a Student's t distribution; volatility is seasonal by day and week. Volume grows with volatility,
and with little volume the price does not move. The constants were fitted by comparison with a year and a half of real bitcoin minutes.

Every symbol begins with DEMO, so that synthetic candles cannot be mistaken for real ones.
"""

import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from image_render.windows import Columns

SYMBOL_PREFIX = "DEMO"
START_OF_2026_MS = 1_767_225_600_000
"""The first open time of synthetic candles whose time does not matter."""

_MINUTE_MS = 60_000
_MINUTES_PER_DAY = 1_440
_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class SyntheticMarket:
    """Parameters of a synthetic market. The defaults resemble BTC/USD in 2018 and 2019."""

    first_price: float = 8_000.0
    price_decimals: int = 1
    volatility_bps: float = 12.0
    """Standard deviation of the return over one minute."""
    volume: float = 5.0
    """Median per minute."""
    volume_decimals: int = 5
    trade_volume: float = 0.7
    """Volume per trade: a minute with few trades has short wicks or no price change."""


class _Component(NamedTuple):
    """An autoregressive component of a logarithm: its half-life and its standard deviation."""

    half_life_minutes: float
    deviation: float


_VOLATILITY_COMPONENTS = (_Component(10, 0.40), _Component(720, 0.44), _Component(30 * _MINUTES_PER_DAY, 0.54))
_COMPONENT_VARIANCE = sum(component.deviation**2 for component in _VOLATILITY_COMPONENTS)
_VOLUME_COMPONENT = _Component(360, 1.1)
_VOLUME_NOISE = 0.9
_VOLUME_VOLATILITY_EXPONENT = 1.3
"""The exponent with which volume grows with volatility."""
_VOLUME_PER_SHOCK = 0.8
_MEDIAN_SHOCK = 0.67
"""The median absolute value of a standard normal."""
_BUSIEST_HOUR = 16
_DAILY_SWING = 0.12
_WEEKEND_VOLATILITY = 0.87
_DEGREES_OF_FREEDOM = 6
"""Degrees of freedom of Student's t; even, so that a sum of logarithms of uniforms is chi-square distributed."""
_OPENING_GAP = 0.1
"""From a close to the next open, as a share of the volatility."""
_BARRIER_SHIFT = 0.5826
"""-zeta(1/2) / sqrt(2 pi): Broadie, Glasserman and Kou 1997, "A continuity correction for discrete barrier
options"."""


def generate(
    symbol: str,
    interval: str,
    start_ms: int,
    count: int,
    seed: int,
    *,
    missing_share: float = 0.0,
    market: SyntheticMarket = SyntheticMarket(),
) -> Candles:
    """Candles of `count` intervals from `start_ms` (milliseconds UTC) on. Deterministic.

    The share `missing_share` of them, those with the least volume, are missing, as in real history; the first and the last never are.
    With another processor or numpy version a price may differ by a tick. A million candles take about a second and 140 MB.

    Raises `ValueError` for a symbol that does not begin with DEMO and for an invalid count, share or seed; `CandleError` for a start off
    the interval's grid.
    """
    if not symbol.startswith(SYMBOL_PREFIX):
        raise ValueError(f"the symbol of synthetic candles must begin with {SYMBOL_PREFIX}: {symbol!r} could be mistaken for a real market")
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    if not 0 <= missing_share < 1:
        raise ValueError(f"missing_share must be from 0 to below 1, not {missing_share}")
    # The symbol is part of the seed, so that coins with the same seed are independent.
    generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(symbol.encode())]))
    step_ms = interval_ms(interval)
    open_time = start_ms + np.arange(count, dtype=np.int64) * step_ms
    columns = _columns(open_time, step_ms / _MINUTE_MS, market, generator)
    traded = _traded_indices(columns.volume, missing_share)
    return Candles.checked(symbol, interval, open_time[traded], Columns(*(column[traded] for column in columns)))


def _columns(open_time: Times, minutes: float, market: SyntheticMarket, generator: np.random.Generator) -> Columns:
    """Candles of `minutes` each, without gaps."""
    count = len(open_time)
    log_volatility = _log_volatility(open_time, minutes, generator)
    volatility = market.volatility_bps / 10_000 * np.sqrt(minutes) * np.exp(log_volatility)
    shock = generator.standard_normal(count)

    log_volume = _VOLUME_VOLATILITY_EXPONENT * (log_volatility + _COMPONENT_VARIANCE)
    log_volume += _VOLUME_PER_SHOCK * (np.abs(shock) - _MEDIAN_SHOCK)
    log_volume += _autoregression(_VOLUME_COMPONENT, minutes, count, generator)
    log_volume += _VOLUME_NOISE * generator.standard_normal(count)
    volume = market.volume * minutes * np.exp(log_volume)
    trades = 1 + volume // market.trade_volume

    volatility[trades == 1] = 0
    log_close = np.log(market.first_price) + np.cumsum(volatility * shock)
    log_open = np.append(np.log(market.first_price), log_close[:-1])
    log_open += _OPENING_GAP * volatility * generator.standard_normal(count)
    log_high = _highest(log_open, log_close, volatility, trades, generator)
    log_low = -_highest(-log_open, -log_close, volatility, trades, generator)
    return Columns(
        open=_round_to_tick(np.exp(log_open), market.price_decimals),
        high=_round_to_tick(np.exp(log_high), market.price_decimals),
        low=_round_to_tick(np.exp(log_low), market.price_decimals),
        close=_round_to_tick(np.exp(log_close), market.price_decimals),
        volume=_round_to_tick(volume, market.volume_decimals),
    )


def _log_volatility(open_time: Times, minutes: float, generator: np.random.Generator) -> Values:
    """The logarithm of each candle's volatility relative to the market's, `(n,)`."""
    count = len(open_time)
    days = open_time / (_MINUTE_MS * _MINUTES_PER_DAY)
    weekend = (np.floor(days) + 3) % _DAYS_PER_WEEK >= 5  # the epoch was a Thursday
    logarithm = np.log1p(_DAILY_SWING * np.cos(2 * np.pi * (days - _BUSIEST_HOUR / 24)))
    logarithm[weekend] += np.log(_WEEKEND_VOLATILITY)
    for component in _VOLATILITY_COMPONENTS:
        logarithm += _autoregression(component, minutes, count, generator)
    # exp(2 x) of a normal x has the mean exp(2 variance): without this, the regimes would raise the market's variance.
    logarithm -= _COMPONENT_VARIANCE
    # Student's t is a normal over the root of chi-square by its degrees of freedom. The root counts as volatility,
    # so that minutes with large moves also have long wicks and high volume. 1 - U, because a uniform U may be 0.
    chi_square = -2 * np.log(1 - generator.random((_DEGREES_OF_FREEDOM // 2, count))).sum(axis=0)
    logarithm -= np.log(chi_square / (_DEGREES_OF_FREEDOM - 2)) / 2  # less 2, which makes the variance 1
    return logarithm


def _autoregression(component: _Component, minutes: float, count: int, generator: np.random.Generator) -> Values:
    """A stationary first-order autoregression, `(count,)`."""
    persistence = 0.5 ** (minutes / component.half_life_minutes)
    values = generator.standard_normal(count)
    values *= component.deviation
    values[1:] *= np.sqrt(1 - persistence**2)
    # Each pass doubles the number of shocks in each sum: twenty passes replace a loop over a million values.
    reach = 1
    while reach < count and (weight := persistence**reach) > np.finfo(np.float64).eps:
        values[reach:] += weight * values[:-reach]
        reach *= 2
    return values


def _highest(log_open: Values, log_close: Values, volatility: Values, trades: Values, generator: np.random.Generator) -> Values:
    """The highest price of the trades on a Brownian bridge from open to close, as logarithms `(n,)`.

    Drawn by inverting P(highest > m) = exp(-2 (m - open) (m - close) / volatility^2), then lowered because the path is observed only at
    its trades.
    """
    log_probability = np.log(1 - generator.random(len(log_open)))
    reach = np.sqrt((log_close - log_open) ** 2 - 2 * volatility**2 * log_probability)
    seen = (log_open + log_close + reach) / 2 - _BARRIER_SHIFT * volatility / np.sqrt(trades)
    return np.maximum(seen, np.maximum(log_open, log_close))


def _round_to_tick(values: Values, decimals: int) -> Values:
    """Values rounded to the last decimal, at least one unit of it."""
    return np.maximum(np.rint(values * 10.0**decimals), 1) / 10.0**decimals


def _traded_indices(volume: Values, missing_share: float) -> NDArray[np.intp]:
    """The indices of the candles that are not missing: all but the share with the least volume, and always the first and the last."""
    missing_count = min(round(missing_share * len(volume)), max(0, len(volume) - 2))
    quietest = 1 + np.argsort(volume[1:-1], kind="stable")[:missing_count]
    return np.delete(np.arange(len(volume)), quietest)
