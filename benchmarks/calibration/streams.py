"""Synthetic daily profits of strategies with a known net edge."""

from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.candles.arrays import Values

STAKE = 10_000.0
_BPS = STAKE / 1e4
_DAY_EFFECT = 0.5
"""The part of a trade's standard deviation that all trades of its day have in common, if days have effects."""
_COMMON = 0.5
"""The correlation of the profits of two variants of a strategy."""
_TRADES_ON_SPARSE_DAYS = 5.0


@dataclass(frozen=True)
class Dependence:
    """How trades and days depend on each other.

    `persistence` is the autocorrelation of day effects (None without them); `trading_share` the share of days with trades; `coins` trade at
    the same time with a correlation of 0.8; with `skewed` returns, most trades lose a little and a few gain much (or the reverse).
    """

    name: str
    persistence: float | None = None
    trading_share: float = 1.0
    coins: int = 1
    skewed: int = 0


DEPENDENCES = (
    Dependence("independent"),
    Dependence("day effects, 0.7", persistence=0.7),
    Dependence("day effects, 0.9", persistence=0.9),
    Dependence("3 % of days", persistence=0.0, trading_share=0.03),
    Dependence("5 % of days", persistence=0.0, trading_share=0.05),
    Dependence("10 % of days", persistence=0.0, trading_share=0.10),
    Dependence("three coins", coins=3),
    Dependence("few large gains", skewed=1),
    Dependence("few large losses", skewed=-1),
)


@dataclass(frozen=True)
class Stream:
    """What is simulated: `days`, the net edge per trade, and the mean number and the standard deviation of trades."""

    dependence: Dependence
    days: int
    edge_bps: float = 0.0
    trades_per_day: float = 1.5
    deviation_bps: float = 100.0

    def sample(self, generator: np.random.Generator, variants: int = 1) -> DailyProfit:
        """The profits `(days, variants)` of correlated variants, which have the same trades with partly different noise."""
        trades = self._trades(generator)
        noise = self._noise(generator, trades, 1)
        if variants > 1:
            noise = np.sqrt(_COMMON) * noise + np.sqrt(1.0 - _COMMON) * self._noise(generator, trades, variants)
        net = _BPS * (self.edge_bps * trades[:, None] + self.deviation_bps * noise)
        return DailyProfit(net, np.broadcast_to(STAKE * trades[:, None], net.shape))

    def _trades(self, generator: np.random.Generator) -> Values:
        kind = self.dependence
        if kind.trading_share < 1.0:
            trading = generator.random(self.days) < kind.trading_share
            return np.where(trading, 1.0 + generator.poisson(_TRADES_ON_SPARSE_DAYS - 1.0, self.days), 0.0)
        trades: Values = generator.poisson(self.trades_per_day, (self.days, kind.coins)).sum(axis=1).astype(np.float64)
        return trades

    def _noise(self, generator: np.random.Generator, trades: Values, variants: int) -> Values:
        """`(days, variants)`: the sum of the day's trades, of variance 1 each and mean 0."""
        kind, shape = self.dependence, (self.days, variants)
        count = trades[:, None]
        if kind.skewed:
            return kind.skewed * (generator.gamma(np.maximum(count, 1e-9), 1.0, shape) - count)
        own = np.sqrt(count) * generator.standard_normal(shape)
        if kind.coins > 1:
            # Trades of several coins at one time: 0.8 of their variance is common to all of them.
            return np.sqrt(0.8) * count / np.sqrt(kind.coins) * generator.standard_normal(shape) + np.sqrt(0.2) * own
        if kind.persistence is None:
            return own
        return _DAY_EFFECT * count * _autoregression(generator, shape, kind.persistence) + np.sqrt(1.0 - _DAY_EFFECT**2) * own


def _autoregression(generator: np.random.Generator, shape: tuple[int, int], persistence: float) -> Values:
    values = generator.standard_normal(shape)
    for day in range(1, shape[0]):
        values[day] = persistence * values[day - 1] + np.sqrt(1.0 - persistence**2) * values[day]
    return values
