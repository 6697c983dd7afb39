"""Buying once, and selling at the end."""

from collections.abc import Sequence

import numpy as np

from coinfarm.backtesting.execution.liquidity import has_trades
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.candles.candles import Candles


def buy_and_hold(symbols: tuple[str, ...], candles: Sequence[Candles], market: Market, period: BacktestPeriod, capital: float) -> Trades:
    """Equal parts of the capital in each coin, bought at the open of the first candle after the period's first signal and sold at the close
    of the last one, both with the taker fee and the fixed slippage, and at any volume. A coin without trades in the period is left out.
    """
    trades = []
    for number, series in enumerate(candles):
        costs = market.for_coin(series.symbol)
        time = series.open_time
        inside = np.flatnonzero((time > period.start_ms) & (time < period.stop_ms) & has_trades(series))
        if not len(inside):
            continue
        first, last = int(inside[0]), int(inside[-1])
        bought, sold = float(series.columns.open[first]), float(series.columns.close[last])
        stake = capital / len(candles)
        value, slip = stake * sold / bought, costs.slippage_bps / 10_000.0
        trades.append(
            Trade(
                coin=number,
                signal=first - 1,
                entry_ms=int(time[first]),
                exit_ms=int(time[last]) + series.interval_ms,
                side=1,
                reason=HORIZON,
                entry_price=bought,
                exit_price=sold,
                stake=stake,
                gross=value - stake,
                slippage=(stake + value) * slip,
                fees=(stake * (1.0 + slip) + value * (1.0 - slip)) * costs.taker_fee_bps / 10_000.0,
            )
        )
    return Trades.from_rows(symbols, trades)
