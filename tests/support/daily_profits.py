"""Synthetic daily profits with a known edge."""

import numpy as np

from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.candles.arrays import Values


def autoregression(generator: np.random.Generator, days: int, persistence: float) -> Values:
    """`(days,)` of variance 1, whose neighbours have the correlation `persistence`."""
    values = generator.standard_normal(days)
    for day in range(1, days):
        values[day] = persistence * values[day - 1] + np.sqrt(1.0 - persistence**2) * values[day]
    return values


def daily_profit(
    generator: np.random.Generator, days: int, edge_bps: float, *, trades_per_day: float = 1.5, deviation_bps: float = 100.0
) -> DailyProfit:
    """Independent trades of 1,000 each."""
    trades = generator.poisson(trades_per_day, days).astype(np.float64)
    net = trades * edge_bps + np.sqrt(trades) * generator.normal(0.0, deviation_bps, days)
    return DailyProfit(net[:, None] / 10.0, 1_000.0 * trades[:, None])
