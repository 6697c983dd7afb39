"""Statistics of trades; their names end in their units."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.daily_profit import MarkedTrades
from coinfarm.backtesting.inference.deflation import sharpe_ratio
from coinfarm.backtesting.inference.sample_size import independent_count
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import END, Mask, PredictedCoin
from coinfarm.candles.arrays import Values

DAYS_PER_YEAR = 365.25
"""For annualisation: crypto markets trade every day."""
_NAN = float("nan")


@dataclass(frozen=True)
class Statistics:
    """NaN if a figure is undefined, such as a ratio to zero.

    Open positions are marked to market at midnight UTC. Trades are simulated with fixed stakes; returns are computed as if each day's
    stakes scaled with the equity, so gains and losses compound from day to day; the equity never falls below zero.
    `volatility_pct`, `sharpe_ratio` and `sortino_ratio` are computed from daily returns, annualised, without a risk-free rate; drawdowns
    from the equity at midnights. `calmar_ratio` is CAGR divided by the maximum drawdown. `exposure_pct` is the share of time with an open
    position, `turnover_per_day` the amount bought and sold per day as a multiple of the capital. `_quote` is the quote currency, with the
    initial stakes.
    """

    days: float
    trades: int
    independent_trades: float
    return_pct: float
    return_before_cost_pct: float
    cagr_pct: float
    volatility_pct: float
    sharpe_ratio: float
    sortino_ratio: float
    calmar_ratio: float
    max_drawdown_pct: float
    max_drawdown_duration_days: float
    exposure_pct: float
    turnover_per_day: float
    win_rate_pct: float
    profit_factor: float
    average_trade_before_cost_bps: float
    average_trade_after_cost_bps: float
    average_cost_bps: float
    best_trade_after_cost_bps: float
    worst_trade_after_cost_bps: float
    average_trade_duration_minutes: float
    net_profit_quote: float
    fees_paid_quote: float
    slippage_paid_quote: float
    borrow_paid_quote: float


@dataclass(frozen=True)
class GroupStatistics:
    """The trades of one coin or month. `return_pct` is the sum of their profits, in percent of the initial capital."""

    name: str
    trades: int
    win_rate_pct: float
    average_trade_before_cost_bps: float
    average_trade_after_cost_bps: float
    return_pct: float
    fees_paid_quote: float


@dataclass(frozen=True)
class BacktestDirectionAccuracy:
    """The percentage of predictions whose end change has the actual sign, of all predictions and of those traded. Predicted or actual
    changes of zero are not counted; NaN if none are left.
    """

    all_right_pct: float
    all_counted: int
    traded_right_pct: float
    traded_counted: int


def statistics(trades: Trades, marked: MarkedTrades, period: BacktestPeriod, capital: float) -> Statistics:
    """The statistics of the trades of a period, and of their daily profits; `capital` is the initial capital, in the quote currency."""
    net, stake = trades.net, trades.stake
    returns = daily_returns(marked.net, capital)
    equity = compounded(returns)
    end = float(equity[-1])
    cagr_pct = 100.0 * (end ** (DAYS_PER_YEAR / period.days) - 1.0)
    drawdown_pct, drawdown_days = _max_drawdown(equity)
    downside = sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    lost = -float(net[net < 0].sum())
    bps = 1e4 * net / stake
    return Statistics(
        days=period.days,
        trades=len(trades),
        independent_trades=independent_count(trades.entry_ms, trades.exit_ms),
        return_pct=100.0 * (end - 1.0),
        return_before_cost_pct=100.0 * float(compounded(daily_returns(marked.gross, capital))[-1] - 1.0),
        cagr_pct=cagr_pct,
        volatility_pct=100.0 * float(returns.std(ddof=1)) * sqrt(DAYS_PER_YEAR) if len(returns) > 1 else _NAN,
        sharpe_ratio=sharpe_ratio(returns) * sqrt(DAYS_PER_YEAR),
        sortino_ratio=_ratio(float(returns.mean()), downside) * sqrt(DAYS_PER_YEAR),
        calmar_ratio=_ratio(cagr_pct, drawdown_pct),
        max_drawdown_pct=drawdown_pct,
        max_drawdown_duration_days=float(drawdown_days),
        exposure_pct=100.0 * _time_in_market_ms(trades) / (period.stop_ms - period.start_ms),
        turnover_per_day=float((stake * (1.0 + trades.exit_price / trades.entry_price)).sum()) / capital / period.days,
        win_rate_pct=_share_pct(net > 0),
        profit_factor=_ratio(float(net[net > 0].sum()), lost),
        average_trade_before_cost_bps=_bps(trades.gross, stake),
        average_trade_after_cost_bps=_bps(net, stake),
        average_cost_bps=_bps(trades.cost, stake),
        best_trade_after_cost_bps=float(bps.max()) if len(bps) else _NAN,
        worst_trade_after_cost_bps=float(bps.min()) if len(bps) else _NAN,
        average_trade_duration_minutes=float((trades.exit_ms - trades.entry_ms).mean()) / 60_000 if len(trades) else _NAN,
        net_profit_quote=float(net.sum()),
        fees_paid_quote=float(trades.fees.sum()),
        slippage_paid_quote=float(trades.slippage.sum()),
        borrow_paid_quote=float(trades.borrow.sum()),
    )


def daily_returns(profit: Values, capital: float) -> Values:
    """`(days,)`: the profit of each day as a share of the capital; at least -1."""
    return np.maximum(profit / capital, -1.0)


def compounded(returns: Values) -> Values:
    """`(days + 1,)`: the equity at midnights, which starts at 1."""
    return np.append(1.0, np.cumprod(1.0 + returns))


def by_coin(trades: Trades, capital: float) -> tuple[GroupStatistics, ...]:
    """The trades of each coin, in the order of `trades.symbols`."""
    return tuple(_group(symbol, trades.rows(trades.coin == coin), capital) for coin, symbol in enumerate(trades.symbols))


def by_month(trades: Trades, capital: float) -> tuple[GroupStatistics, ...]:
    """The trades of each UTC month in which one began, in order of time."""
    month = trades.entry_ms.astype("datetime64[ms]").astype("datetime64[M]")
    return tuple(_group(str(name), trades.rows(month == name), capital) for name in np.unique(month))


def backtest_direction_accuracy(coins: list[PredictedCoin], trades: Trades, horizon_candles: int) -> BacktestDirectionAccuracy:
    """The accuracy of the coins' predictions, with the coins in the order of `trades.symbols`."""
    right, traded = [], []
    for at, coin in enumerate(coins):
        predicted, actual = np.sign(coin.predicted_pct[:, END]), np.sign(_end_changes(coin, horizon_candles))
        counted = (predicted != 0) & (actual != 0)
        right.append((predicted == actual)[counted])
        traded.append(np.isin(coin.signal, trades.signal[trades.coin == at])[counted])
    all_right, was_traded = np.concatenate(right), np.concatenate(traded)
    return BacktestDirectionAccuracy(_share_pct(all_right), len(all_right), _share_pct(all_right[was_traded]), int(was_traded.sum()))


def _group(name: str, trades: Trades, capital: float) -> GroupStatistics:
    net = trades.net
    return GroupStatistics(
        name,
        len(trades),
        _share_pct(net > 0),
        _bps(trades.gross, trades.stake),
        _bps(net, trades.stake),
        100.0 * float(net.sum()) / capital,
        float(trades.fees.sum()),
    )


def _end_changes(coin: PredictedCoin, horizon_candles: int) -> Values:
    close = coin.candles.columns.close
    return close[coin.signal + horizon_candles] - close[coin.signal]


def _max_drawdown(equity: Values) -> tuple[float, int]:
    """The maximum drawdown in percent of the peak before it, and the longest time, in days, from a peak until it is reached again."""
    peak = np.maximum.accumulate(equity)
    at_peak = np.flatnonzero(equity >= peak)
    until = np.append(at_peak[1:], len(equity) - 1)
    below = equity[np.minimum(at_peak + 1, len(equity) - 1)] < peak[at_peak]
    return 100.0 * float((1.0 - equity / peak).max()), int(((until - at_peak) * below).max(initial=0))


def _time_in_market_ms(trades: Trades) -> int:
    """The time with at least one open position."""
    start, stop = trades.entry_ms, trades.exit_ms
    covered = np.maximum.accumulate(np.append(start[:1], stop[:-1])) if len(trades) else stop
    return int(np.maximum(stop - np.maximum(start, covered), 0).sum())


def _bps(amount: Values, stake: Values) -> float:
    return 1e4 * _ratio(float(amount.sum()), float(stake.sum()))


def _share_pct(true: Mask) -> float:
    return 100.0 * float(true.mean()) if len(true) else _NAN


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else _NAN
