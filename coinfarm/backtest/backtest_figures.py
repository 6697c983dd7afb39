"""The plots of a backtest's report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.backtest.backtest import Result
from coinfarm.backtest.coin import Coin
from coinfarm.backtest.period import DAY_MS, Period
from coinfarm.backtest.selection import Sweep
from coinfarm.backtest.statistics import compounded, daily_returns
from coinfarm.backtest.trades import HORIZON, Trades
from coinfarm.candles.arrays import Values
from coinfarm.reports.figure import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, RED, WIDE, figure_svg
from coinfarm.reports.formatting import clock_text, minute_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

_COMPARED = {"always long": MUTED, "momentum": ORANGE, "reversal": PURPLE, "random entries": GREEN}
_MIN_TRADES = 10
"""Of a variant whose figure is worth a colour."""
_MAX_STRAY_BPS = 60.0
_BINS = 10


def equity_svg(result: Result) -> str:
    """What became of the capital, after and before costs, beside the baselines."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        capital, period = result.strategy.size.capital, result.period
        for each in result.compared:
            if each.baseline.name in _COMPARED:
                returns = daily_returns(each.baseline.trades, period, capital * each.baseline.draws)
                axes.plot(
                    _midnights(period), 100 * compounded(returns), color=_COMPARED[each.baseline.name], lw=1.1, label=each.baseline.name
                )
        before = daily_returns(result.trades, period, capital, before_cost=True)
        after = daily_returns(result.trades, period, capital)
        axes.plot(_midnights(period), 100 * compounded(before), color=BLUE, ls="--", lw=1.4, label="this strategy before costs")
        axes.plot(_midnights(period), 100 * compounded(after), color=BLUE, lw=2.4, label="this strategy")
        axes.axhline(100, color=MUTED, lw=0.8)
        axes.set_ylabel("equity, % of the capital")
        _dated(axes)
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.12))

    return figure_svg(draw, "Equity of the strategy and its baselines, by day", (WIDE[0], 3.8))


def drawdown_svg(result: Result) -> str:
    """How far the equity lay below its peak."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        equity = compounded(daily_returns(result.trades, result.period, result.strategy.size.capital))
        below = 100 * (equity / np.maximum.accumulate(equity) - 1)
        axes.fill_between(_midnights(result.period), below, 0, color=RED, alpha=0.25, lw=0)
        axes.plot(_midnights(result.period), below, color=RED, lw=1.4)
        axes.set_ylabel("below the peak, %")
        _dated(axes)

    return figure_svg(draw, "Drawdown of the equity, by day")


def cost_svg(result: Result) -> str:
    """The profit as a function of the cost of a round trip: a line, which crosses zero at the break-even cost."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        found, capital = result.break_even, result.strategy.size.capital
        low = min(0.0, found.low_bps, found.bps) if np.isfinite(found.low_bps) else min(0.0, found.bps)
        cost = np.array([low - 3.0, 1.4 * max(found.cost_bps, found.bps, found.high_bps if np.isfinite(found.high_bps) else 0.0, 5.0)])
        staked = float(result.trades.stake.sum())
        if np.isfinite(found.low_bps):
            axes.axvspan(found.low_bps, found.high_bps, color=BLUE, alpha=0.14, lw=0, label="90 % interval of the break-even cost")
        axes.plot(cost, 100 * staked * (found.bps - cost) / 1e4 / capital, color=BLUE, lw=2, label="profit")
        axes.plot([found.bps], [0], "o", color=BLUE)
        axes.axvline(found.cost_bps, color=RED, lw=1.6, ls="--", label="actual cost")
        axes.axhline(0, color=INK, lw=0.8)
        axes.set_xlim(*cost)
        axes.set_xlabel("cost of a round trip, bps")
        axes.set_ylabel("profit, % of the capital")
        axes.legend(loc="best")

    return figure_svg(draw, "Profit against the cost of a round trip")


def heat_svg(sweep: Sweep, cost_bps: float, chosen: Sequence[tuple[float, float]], *, later: bool) -> str:
    """Average trade before costs by thresholds: green where it is above the cost, red where it is below."""
    bps, trades = (sweep.later_bps, sweep.later_trades) if later else (sweep.first_bps, sweep.first_trades)

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        shown = np.ma.masked_where((trades < _MIN_TRADES) | ~np.isfinite(bps), bps - cost_bps)
        largest = min(_MAX_STRAY_BPS, float(np.abs(shown).max())) if shown.count() else 1.0
        mesh = axes.pcolormesh(shown.T, cmap=_above_and_below(), vmin=-largest, vmax=largest, linewidth=0)
        for end, ratio in sorted(set(chosen)):
            at = int(np.argmin(np.abs(sweep.min_end_change_pct - end))), int(np.argmin(np.abs(sweep.min_rise_to_decline - ratio)))
            axes.plot(at[0] + 0.5, at[1] + 0.5, "s", mfc="none", mec=INK, mew=1.6, ms=8)
        _label(axes, sweep.min_end_change_pct, horizontal=True)
        _label(axes, sweep.min_rise_to_decline, horizontal=False)
        axes.set_xlabel("min. predicted end change, %")
        axes.set_ylabel("min. rise : decline")
        axes.grid(visible=False)
        bar = plot.colorbar(mesh, ax=axes, pad=0.02)
        bar.set_label("bps above the cost", color=MUTED)
        bar.outline.set_visible(False)

    return figure_svg(draw, f"Average trade by thresholds, {'later part' if later else 'first part'}")


def calibration_svg(coins: Sequence[Coin], horizon_candles: int) -> str:
    """What came on average where so much was predicted, in tenths of the predictions, for each output."""
    predicted = np.concatenate([coin.predicted_pct for coin in coins])
    actual = np.concatenate([coin.actual_pct(horizon_candles) for coin in coins])

    def draw(plot: "Plot") -> None:
        for at, name in enumerate(("max rise", "max decline", "end change")):
            axes = plot.add_subplot(1, 3, at + 1)
            said, came = _tenths(predicted[:, at], actual[:, at])
            ends = [min(said.min(), came.min()), max(said.max(), came.max())]
            axes.plot(ends, ends, color=MUTED, lw=1, ls="--")
            axes.plot(said, came, "o-", color=BLUE)
            axes.set_title(name)
            axes.set_xlabel("predicted, %")
            if not at:
                axes.set_ylabel("actual mean, %")

    return figure_svg(draw, "Calibration: predicted against actual, in tenths of the predictions", WIDE)


def trade_svg(result: Result, at: int) -> str:
    """One trade on its candles: the end of the window, and the horizon; what was predicted, and what came."""
    trade = result.trades[at]
    coin = result.coins[trade.coin]
    candles, horizon = coin.candles, result.strategy.exit.horizon_candles
    row = int(np.searchsorted(coin.signal, trade.signal))
    first = max(0, trade.signal - 2 * horizon + 1)
    stop = min(len(candles), trade.signal + horizon + 1 + max(3, horizon // 6))
    entry_at = trade.signal + 1
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


def gallery(trades: Trades, each: int, seed: int = 0) -> dict[str, list[int]]:
    """Which trades to show, none twice: those that earned most and least of their stake after costs, and some at random."""
    by_return = np.argsort(trades.net / trades.stake, kind="stable").tolist()
    best, worst = by_return[::-1][:each], by_return[:each]
    worst = [at for at in worst if at not in best]
    others = [at for at in by_return if at not in best and at not in worst]
    random = np.random.default_rng(seed).permutation(others)[:each].tolist() if others else []
    return {"best": best, "worst": worst, "random": random}


def _draw_candles(axes: "Axes", columns: Any, first: int, stop: int, signal: int) -> None:
    """Bodies and wicks: green where the price rose, red where it fell, fainter before the prediction."""
    from matplotlib.collections import LineCollection

    at = np.arange(first, min(stop, len(columns.close)))
    opened, high, low, close = (getattr(columns, name)[at] for name in ("open", "high", "low", "close"))
    for rose, colour in ((close >= opened, GREEN), (close < opened, RED)):
        for part, alpha in ((at <= signal, 0.55), (at > signal, 1.0)):
            chosen = rose & part
            if not chosen.any():
                continue
            x = at[chosen].astype(float)
            wicks = np.stack([np.column_stack([x, low[chosen]]), np.column_stack([x, high[chosen]])], axis=1)
            bodies = np.stack([np.column_stack([x, opened[chosen]]), np.column_stack([x, close[chosen]])], axis=1)
            axes.add_collection(LineCollection(list(wicks), colors=colour, linewidths=0.8, alpha=alpha))
            axes.add_collection(LineCollection(list(bodies), colors=colour, linewidths=2.4, alpha=alpha))
    margin = 0.05 * (high.max() - low.min() or 1.0)
    axes.set_xlim(first - 1, at[-1] + 1)
    axes.set_ylim(low.min() - margin, high.max() + margin)


def _tenths(predicted: Values, actual: Values) -> tuple[Values, Values]:
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(_BINS, len(predicted)))
    return np.array([predicted[part].mean() for part in parts]), np.array([actual[part].mean() for part in parts])


def _label(axes: "Axes", values: Values, *, horizontal: bool) -> None:
    """A few of the grid's values at their cells."""
    shown = np.unique(np.linspace(0, len(values) - 1, min(5, len(values))).round().astype(int))
    ticks, labels = (shown + 0.5).tolist(), [f"{values[at]:.2f}" for at in shown]
    (axes.set_xticks if horizontal else axes.set_yticks)(ticks, labels)


def _above_and_below() -> Any:
    """From red through nearly nothing to green, legible by day and by night."""
    from matplotlib.colors import LinearSegmentedColormap

    red, grey, green = (0.78, 0.2, 0.16), (0.5, 0.5, 0.5), (0.1, 0.58, 0.4)
    stops = [(*red, 0.95), (*red, 0.45), (*grey, 0.12), (*green, 0.45), (*green, 0.95)]
    return LinearSegmentedColormap.from_list("above and below", stops)


def _midnights(period: Period) -> Any:
    first, last = period.start_ms // DAY_MS, -(-period.stop_ms // DAY_MS)
    return np.arange(first, last + 1).astype("datetime64[D]")


def _dated(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
