"""The size of orders, by what is known when they are placed."""

import numpy as np

from coinfarm.backtesting.execution.liquidity import quote_volume, trailing_median, trailing_median_reaches, trailing_range_bps
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles


def placed_stakes(candles: Candles, orders: Orders, market: Market) -> Values:
    """`(n,)`: the stake of each order, at most a share of the trailing median volume at the signal's close; 0 if it is not placed.

    The volume of later candles is unknown when the order is placed, so it never changes the stake.
    """
    share, volume = market.volume_share_pct / 100.0, quote_volume(candles)
    stake = orders.stake.copy()
    # Medians are slow: they are computed only for those orders that they may limit.
    largest = float(stake.max(initial=0.0)) / share
    unsure = np.flatnonzero(~trailing_median_reaches(volume, orders.signal, market.trailing_candles, largest))
    median = trailing_median(volume, orders.signal[unsure], market.trailing_candles)
    stake[unsure] = np.minimum(stake[unsure], share * median)
    stake[stake < market.min_order] = 0.0
    return stake


def slippage_shares(candles: Candles, orders: Orders, market: Market) -> Values:
    """`(n,)`: the slippage of each order, at entry and exit, as a share of the price. No stake may be 0."""
    bps: Values = np.full(len(orders), market.slippage_bps, np.float64)
    if market.volatility_slippage:
        bps += market.volatility_slippage * trailing_range_bps(candles, orders.signal, market.trailing_candles)
    if market.size_slippage_bps:
        median = trailing_median(quote_volume(candles), orders.signal, market.trailing_candles)
        bps += market.size_slippage_bps * np.sqrt(orders.stake / median)
    return bps / 10_000.0
