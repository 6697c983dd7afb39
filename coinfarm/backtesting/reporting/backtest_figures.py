"""The plots of a backtest's report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.statistics import compounded, daily_returns
from coinfarm.backtesting.walk_forward import Sweep
from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS
from coinfarm.reports.figure import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, RED, WIDE, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

_BASELINE_COLOURS = {"buy and hold": MUTED, "momentum": ORANGE, "reversal": PURPLE, "random entries": GREEN}
_MIN_TRADES = 10
"""Variants with fewer trades are left white."""
_MAX_COLOUR_BPS = 60.0
_BINS = 10


def equity_svg(result: BacktestResult) -> str:
    """The equity after and before costs, with that of the baselines."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        capital, period = result.strategy.size.capital, result.period
        for each in result.baselines:
            if each.baseline.name in _BASELINE_COLOURS:
                axes.plot(
                    _midnights(period),
                    100 * each.equity,
                    color=_BASELINE_COLOURS[each.baseline.name],
                    lw=1.1,
                    label=each.baseline.name,
                )
        before = daily_returns(result.marked.gross, capital)
        after = daily_returns(result.marked.net, capital)
        axes.plot(_midnights(period), 100 * compounded(before), color=BLUE, ls="--", lw=1.4, label="this strategy before costs")
        axes.plot(_midnights(period), 100 * compounded(after), color=BLUE, lw=2.4, label="this strategy")
        axes.axhline(100, color=MUTED, lw=0.8)
        axes.set_ylabel("equity, % of the capital")
        _use_date_axis(axes)
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.12))

    return figure_svg(draw, "Equity of the strategy and its baselines, by day", (WIDE[0], 3.8))


def drawdown_svg(result: BacktestResult) -> str:
    """How far the equity is below its peak."""

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        equity = compounded(daily_returns(result.marked.net, result.strategy.size.capital))
        below = 100 * (equity / np.maximum.accumulate(equity) - 1)
        axes.fill_between(_midnights(result.period), below, 0, color=RED, alpha=0.25, lw=0)
        axes.plot(_midnights(result.period), below, color=RED, lw=1.4)
        axes.set_ylabel("below the peak, %")
        _use_date_axis(axes)

    return figure_svg(draw, "Drawdown of the equity, by day")


def cost_svg(result: BacktestResult) -> str:
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


def heatmap_svg(sweep: Sweep, cost_bps: float, chosen: Sequence[tuple[float, float]], *, later: bool) -> str:
    """The average trade before costs by thresholds: green above the cost, red below it."""
    bps, trades = (sweep.later_bps, sweep.later_trades) if later else (sweep.first_bps, sweep.first_trades)

    def draw(plot: "Plot") -> None:
        axes = plot.add_subplot()
        shown = np.ma.masked_where((trades < _MIN_TRADES) | ~np.isfinite(bps), bps - cost_bps)
        largest = min(_MAX_COLOUR_BPS, float(np.abs(shown).max())) if shown.count() else 1.0
        mesh = axes.pcolormesh(shown.T, cmap=_red_to_green(), vmin=-largest, vmax=largest, linewidth=0)
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


def calibration_svg(coins: Sequence[PredictedCoin], horizon_candles: int) -> str:
    """The mean outcome in each tenth of the predictions, for each output."""
    predicted = np.concatenate([coin.predicted_pct for coin in coins])
    actual = np.concatenate([coin.actual_pct(horizon_candles) for coin in coins])

    def draw(plot: "Plot") -> None:
        for at, name in enumerate(("max rise", "max decline", "end change")):
            axes = plot.add_subplot(1, 3, at + 1)
            mean_predicted, mean_actual = _decile_means(predicted[:, at], actual[:, at])
            ends = [min(mean_predicted.min(), mean_actual.min()), max(mean_predicted.max(), mean_actual.max())]
            axes.plot(ends, ends, color=MUTED, lw=1, ls="--")
            axes.plot(mean_predicted, mean_actual, "o-", color=BLUE)
            axes.set_title(name)
            axes.set_xlabel("predicted, %")
            if not at:
                axes.set_ylabel("actual mean, %")

    return figure_svg(draw, "Calibration: predicted against actual, in tenths of the predictions", WIDE)


def _decile_means(predicted: Values, actual: Values) -> tuple[Values, Values]:
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(_BINS, len(predicted)))
    return np.array([predicted[part].mean() for part in parts]), np.array([actual[part].mean() for part in parts])


def _label(axes: "Axes", values: Values, *, horizontal: bool) -> None:
    """Label a few cells with their values."""
    shown = np.unique(np.linspace(0, len(values) - 1, min(5, len(values))).round().astype(int))
    ticks, labels = (shown + 0.5).tolist(), [f"{values[at]:.2f}" for at in shown]
    (axes.set_xticks if horizontal else axes.set_yticks)(ticks, labels)


def _red_to_green() -> Any:
    """From red through almost transparent grey to green, legible in light and dark mode."""
    from matplotlib.colors import LinearSegmentedColormap

    red, grey, green = (0.78, 0.2, 0.16), (0.5, 0.5, 0.5), (0.1, 0.58, 0.4)
    stops = [(*red, 0.95), (*red, 0.45), (*grey, 0.12), (*green, 0.45), (*green, 0.95)]
    return LinearSegmentedColormap.from_list("above and below", stops)


def _midnights(period: BacktestPeriod) -> Any:
    first, last = period.start_ms // DAY_MS, -(-period.stop_ms // DAY_MS)
    return np.arange(first, last + 1).astype("datetime64[D]")


def _use_date_axis(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
