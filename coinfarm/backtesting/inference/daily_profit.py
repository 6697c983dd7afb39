"""The profit of trades on each UTC day, marked to market."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS


@dataclass(frozen=True, eq=False)
class MarkedTrades:
    """The profits of trades on each day of a period, `(days,)` each, in the quote currency.

    An open position is valued at the last close before midnight. Costs are booked half on the day of entry and half on the day of exit.
    `stake` is what was staked on the day of entry.
    """

    gross: Values
    cost: Values
    stake: Values

    @property
    def net(self) -> Values:
        return self.gross - self.cost

    @property
    def profit(self) -> DailyProfit:
        return DailyProfit(self.net[:, None], self.stake[:, None])


def mark_to_market(trades: Trades, candles: Sequence[Candles], period: BacktestPeriod) -> MarkedTrades:
    """The trades' profits by day; `candles` are gap-free, one series for each of `trades.symbols`."""
    days = period.utc_days
    entry_day, exit_day = _day(trades.entry_ms, period), _day(trades.exit_ms, period)
    cost = _sum_by(entry_day, trades.cost / 2.0, days) + _sum_by(exit_day, trades.cost / 2.0, days)
    gross = _sum_by(exit_day, trades.gross, days)
    # A position that is open at midnight moves its profit so far from the day of its exit to the days before.
    day, rows = entry_day.copy(), np.arange(len(trades))
    booked = np.zeros(len(trades))
    while len(rows := rows[day[rows] < exit_day[rows]]):
        at_midnight = _gross_at(trades, rows, candles, (period.first_day + day[rows] + 1) * DAY_MS)
        change = at_midnight - booked[rows]
        gross += _sum_by(day[rows], change, days) - _sum_by(exit_day[rows], change, days)
        booked[rows] = at_midnight
        day[rows] += 1
    return MarkedTrades(gross, cost, _sum_by(entry_day, trades.stake, days))


def _day(time_ms: Times, period: BacktestPeriod) -> Indices:
    day: Indices = np.clip(time_ms // DAY_MS - period.first_day, 0, period.utc_days - 1)
    return day


def _sum_by(day: Indices, values: Values, days: int) -> Values:
    return np.bincount(day, values, days).astype(np.float64)


def _gross_at(trades: Trades, rows: Indices, candles: Sequence[Candles], time_ms: Times) -> Values:
    """The profit before costs, `(n,)`, of those open trades at the close of the last candle before each time."""
    price = np.empty(len(rows))
    for coin, series in enumerate(candles):
        of_coin = trades.coin[rows] == coin
        last = np.searchsorted(series.open_time, time_ms[of_coin]) - 1
        price[of_coin] = series.columns.close[np.maximum(last, 0)]
    gross: Values = trades.side[rows] * trades.stake[rows] * (price / trades.entry_price[rows] - 1.0)
    return gross
