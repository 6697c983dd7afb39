"""The liquidation of short positions with an isolated margin, which is the stake."""

from coinfarm.backtesting.execution.market import Market
from coinfarm.candles.arrays import Values


def liquidation_price(first_price: Values, market: Market) -> Values:
    """The price at which a short position has lost all of its margin but the maintenance margin, by the price of the entry's first fill."""
    return first_price * (2.0 - market.maintenance_margin_pct / 100.0)
