"""Examples of a backtest's trades, with their candles and predictions, for its report."""

from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.execution.trades import EXIT_REASONS, HORIZON, Trades
from coinfarm.reports.figure import BLUE, GREEN, ORANGE, PURPLE, RED, figure_svg
from coinfarm.reports.formatting import clock_text, minute_text
from coinfarm.reports.page import Figure, Figures, Prose, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

_TRADES_OF_EACH_KIND = 4


def trade_gallery(result: BacktestResult) -> Section:
    figures = []
    for kind, rows in example_trades(result.trades, _TRADES_OF_EACH_KIND).items():
        for at in rows:
            trade = result.trades[at]
            earned_bps = 1e4 * (trade.gross - trade.slippage - trade.fees - trade.borrow) / trade.stake
            figures.append(
                Figure(
                    trade_svg(result, at),
                    f"{kind.capitalize()}: {result.symbols[trade.coin]}, {minute_text(trade.entry_ms)}",
                    f"{'Long' if trade.side > 0 else 'Short'}, exit by {EXIT_REASONS[trade.reason]}; {earned_bps:+.0f} bps after costs.",
                )
            )
    return Section(
        "Some of the trades",
        (
            Prose(
                (
                    "Blue: the entry. Orange: the exit. The horizon, which the model did not see, is shaded; in it the predicted rise and "
                    "decline (dotted) and the path to the predicted end (dashed), with the actual prices. Look at the random ones.",
                )
            ),
            Figures(tuple(figures)),
        ),
    )


def example_trades(trades: Trades, each: int, seed: int = 0) -> dict[str, list[int]]:
    """Rows of the trades with the highest and lowest profit per stake after costs, and of random ones, without duplicates."""
    by_return = np.argsort(trades.net / trades.stake, kind="stable").tolist()
    best, worst = by_return[::-1][:each], by_return[:each]
    worst = [at for at in worst if at not in best]
    others = [at for at in by_return if at not in best and at not in worst]
    random = np.random.default_rng(seed).permutation(others)[:each].tolist() if others else []
    return {"best": best, "worst": worst, "random": random}


def trade_svg(result: BacktestResult, at: int) -> str:
    """One trade on its candles, with the prediction: the end of the window, and the horizon."""
    trade = result.trades[at]
    coin = result.coins[trade.coin]
    candles, horizon = coin.candles, result.strategy.exit.horizon_candles
    row = int(np.searchsorted(coin.signal, trade.signal))
    first = max(0, trade.signal - 2 * horizon + 1)
    stop = min(len(candles), trade.signal + horizon + 1 + max(3, horizon // 6))
    entry_at = int((trade.entry_ms - candles.open_time[0]) // candles.interval_ms)
    left_ms = trade.exit_ms - (0 if trade.reason == HORIZON else candles.interval_ms)
    exit_at = int((left_ms - candles.open_time[0]) // candles.interval_ms)

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        _draw_candles(axes, candles.columns, first, max(stop, exit_at + 2), trade.signal)
        close = float(candles.columns.close[trade.signal])
        rise, decline, end = (close * (1 + coin.predicted_pct[row, column] / 100) for column in range(3))
        ahead = (trade.signal + 0.5, trade.signal + horizon + 0.5)
        axes.axvspan(*ahead, color=BLUE, alpha=0.07, lw=0)
        axes.hlines([rise, decline], *ahead, color=PURPLE, lw=1.1, ls=":")
        axes.plot(ahead, [close, end], color=PURPLE, lw=1.4, ls="--")
        axes.plot(entry_at, trade.entry_price, ">", color=BLUE, ms=7, zorder=5)
        axes.plot(exit_at, trade.exit_price, "X", color=ORANGE, ms=7, zorder=5)
        axes.set_xticks([first, trade.signal, trade.signal + horizon])
        axes.set_xticklabels([clock_text(int(candles.open_time[min(tick, len(candles) - 1)])) for tick in axes.get_xticks().astype(int)])

    name = f"{coin.symbol} {minute_text(trade.entry_ms)}, {'long' if trade.side > 0 else 'short'}, trade {at + 1}"
    return figure_svg(draw, name)


def _draw_candles(axes: "Axes", columns: Any, first: int, stop: int, signal: int) -> None:
    """Bodies and wicks: green for a rise, red for a fall, lighter before the prediction."""
    from matplotlib.collections import LineCollection

    at = np.arange(first, min(stop, len(columns.close)))
    open_price, high, low, close = (getattr(columns, name)[at] for name in ("open", "high", "low", "close"))
    for rose, colour in ((close >= open_price, GREEN), (close < open_price, RED)):
        for part, alpha in ((at <= signal, 0.55), (at > signal, 1.0)):
            chosen = rose & part
            if not chosen.any():
                continue
            x = at[chosen].astype(float)
            wicks = np.stack([np.column_stack([x, low[chosen]]), np.column_stack([x, high[chosen]])], axis=1)
            bodies = np.stack([np.column_stack([x, open_price[chosen]]), np.column_stack([x, close[chosen]])], axis=1)
            axes.add_collection(LineCollection(list(wicks), colors=colour, linewidths=0.8, alpha=alpha))
            axes.add_collection(LineCollection(list(bodies), colors=colour, linewidths=2.4, alpha=alpha))
    margin = 0.05 * (high.max() - low.min() or 1.0)
    axes.set_xlim(first - 1, at[-1] + 1)
    axes.set_ylim(low.min() - margin, high.max() + margin)
