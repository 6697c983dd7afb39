"""The costs of trades: slippage, fees, and the interest on what a short position borrows."""

import numpy as np

from coinfarm.backtesting.execution.fills import Fills
from coinfarm.backtesting.execution.trades import LIQUIDATION
from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS


def trading_costs(fills: Fills) -> tuple[Values, Values, Values]:
    """Slippage, fees and interest of each trade, `(n,)`, in the quote currency."""
    market, stake, side, slip = fills.market, fills.orders.stake, fills.orders.side, fills.slippage
    amount = stake / fills.entries.price
    # What a limit order fills, on the way in or out, pays the maker fee; market orders pay slippage and the taker fee.
    at_limit_in, at_limit_out = stake * fills.entries.limit_share, amount * fills.exits.limit_value
    at_market_in, at_market_out = stake - at_limit_in, amount * fills.exits.market_value
    slippage = (at_market_in + at_market_out) * slip
    taken = at_market_in * (1.0 + side * slip) + at_market_out * (1.0 - side * slip)
    fees_bps = (at_limit_in + at_limit_out) * market.maker_fee_bps + taken * market.taker_fee_bps
    fees_bps += np.where(fills.exits.reason == LIQUIDATION, at_market_out * market.liquidation_fee_bps, 0.0)
    held_ms = fills.exits.exit_ms - fills.candles.open_time[fills.entries.entry_at]
    borrow_bps = np.where(side < 0, stake * market.borrow_bps_per_day * held_ms / DAY_MS, 0.0)
    return slippage, fees_bps / 10_000.0, borrow_bps / 10_000.0
