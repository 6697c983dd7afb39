"""A backtest as an HTML page."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite

from coinfarm.backtesting import backtest_figures
from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.break_even import BreakEven
from coinfarm.backtesting.predictions_summary import predictions_summary
from coinfarm.backtesting.statistics import GroupStatistics
from coinfarm.backtesting.trade_gallery import trade_gallery
from coinfarm.backtesting.verdict import Conclusion
from coinfarm.reports.formatting import minute_text, number_text
from coinfarm.reports.page import Cell, Figure, Figures, Page, Prose, Section, Table, Tile, Tone, Verdict


def page(result: BacktestResult) -> Page:
    """The page of one backtest. Raises `CoinfarmError` if the packages for reports are not installed."""
    sections = [_baselines(result)]
    if len(result.trades):
        sections += [_capital(result), *_thresholds(result), *_trials(result), _groups(result), trade_gallery(result)]
    sections += [_calibration(result), _method(result)]
    return Page(
        title="Does it make money?",
        subtitle=f"Strategy “{result.strategy.name}” on predictions of {result.model or 'an unnamed model'} · "
        f"{', '.join(result.symbols)}, {result.interval} candles · {minute_text(result.period.start_ms)} to "
        f"{minute_text(result.period.stop_ms)} UTC",
        verdict=Verdict(result.verdict.headline, result.verdict.reasons, _TONES[result.verdict.conclusion]),
        tiles=_tiles(result),
        sections=tuple(sections),
        footer="Made by coinfarm backtest. The same predictions, candles, strategy and number of variants tried result in the same page.",
    )


_TONES: dict[Conclusion, Tone] = {Conclusion.MAKES_MONEY: "good", Conclusion.LOSES_MONEY: "bad", Conclusion.INCONCLUSIVE: "neutral"}


def _tiles(result: BacktestResult) -> tuple[Tile, ...]:
    found, figure = result.break_even, result.statistics
    return (
        Tile("Break-even cost", _with_unit(found.bps, "bps"), f"90 % interval {_interval(found)}", _tone(found.bps - found.cost_bps)),
        Tile("Cost of a round trip", _with_unit(found.cost_bps, "bps"), "fees and slippage, both sides"),
        Tile(
            "Return",
            _with_unit(figure.return_pct, "%"),
            f"before costs {_with_unit(figure.return_before_cost_pct, '%')}",
            _tone(figure.return_pct),
        ),
        Tile(
            "Sharpe ratio",
            number_text(figure.sharpe_ratio, 2),
            f"deflated (a probability): {number_text(result.trials.deflated_sharpe_probability, 2)}",
        ),
        Tile(
            "Direction correct",
            _with_unit(result.direction.traded_right_pct, "%"),
            f"of trades; {_with_unit(result.direction.all_right_pct, '%')} of all predictions",
        ),
    )


def _baselines(result: BacktestResult) -> Section:
    rows: list[tuple[str | Cell, ...]] = [("this strategy", *_cells(result.break_even), _toned_cell(result.statistics.return_pct))]
    rows += [(each.baseline.name, *_cells(each.break_even), _toned_cell(each.return_pct)) for each in result.baselines]
    meanings = "; ".join(f"{each.baseline.name}: {each.baseline.meaning}" for each in result.baselines)
    return Section(
        "Strategy and baselines",
        (
            Prose(
                (
                    "The break-even cost is the round-trip cost, of entry and exit together, at which the profit is zero. It is the "
                    "average trade before costs. All rules trade the same candles at the same costs.",
                )
            ),
            Table(
                ("", "break-even, bps", "90 % interval", "cost, bps", "trades", "independent", "return, %"),
                rows,
                f"{meanings[0].upper()}{meanings[1:]}. Random entries are drawn several times and pooled.",
                strong_row=0,
            ),
        ),
    )


def _capital(result: BacktestResult) -> Section:
    return Section(
        "Capital",
        (
            Figures(
                (
                    Figure(backtest_figures.equity_svg(result), "Equity, after and before costs", _EQUITY_CAPTION, wide=True),
                    Figure(backtest_figures.cost_svg(result), "Profit against cost", "Where the line crosses zero is the break-even cost."),
                    Figure(
                        backtest_figures.drawdown_svg(result),
                        "Drawdown",
                        f"At most {result.statistics.max_drawdown_pct:.1f} % of the peak before it.",
                    ),
                )
            ),
        ),
    )


_MAX_TRIALS_SHOWN = 10
_EQUITY_CAPTION = "By day; the stakes of a day are shares of the equity at its beginning."


def _thresholds(result: BacktestResult) -> tuple[Section, ...]:
    if result.sweep is None:
        return ()
    chosen = [fold.thresholds for fold in result.folds]
    caption = "Squares: chosen thresholds. White: fewer than ten trades."
    heatmaps = tuple(
        Figure(
            backtest_figures.heatmap_svg(result.sweep, result.break_even.cost_bps, chosen, later=later),
            "Later part: tested" if later else "First part: thresholds chosen",
            caption,
        )
        for later in (False, True)
    )
    rows = [
        (
            f"{minute_text(fold.start_ms)} to {minute_text(fold.stop_ms)}",
            f"{fold.thresholds.min_end_change_pct:.3f}",
            f"{fold.thresholds.min_rise_to_decline:.2f}",
            f"{fold.selection_trades:,}",
        )
        for fold in result.folds
    ]
    return (
        Section(
            "Thresholds",
            (
                Prose(
                    (
                        f"{result.sweep.first_bps.size} pairs of thresholds were tried. A colour that appears only in the first part is "
                        "probably due to chance. The pair that is best on one half of the days is worse than the median on the other half "
                        f"with a probability of {_percent(result.overfitting_probability)} (the probability of backtest overfitting): near "
                        "50 %, the choice is worth nothing.",
                    )
                ),
                Figures(heatmaps),
                Table(
                    ("tested", "min. end change, %", "min. rise : decline", "chosen on trades"),
                    rows,
                    "Each period is traded with the thresholds that were best in the trades that ended before it",
                    folded=True,
                ),
            ),
        ),
    )


def _trials(result: BacktestResult) -> tuple[Section, ...]:
    """The other strategies that were tried on the same predictions."""
    if not result.trials.others:
        return ()
    rows = [(each.name, _toned_cell(each.edge_bps), f"{len(each.net):,}") for each in result.trials.others]
    caption = "The register of trials next to the predictions. The verdict's p value counts them all."
    return (
        Section(
            "Strategies tried", (Table(("other strategy", "net edge, bps", "days"), rows, caption, folded=len(rows) > _MAX_TRIALS_SHOWN),)
        ),
    )


def _groups(result: BacktestResult) -> Section:
    return Section("Month by month, coin by coin", (_group_table("month", result.by_month), _group_table("coin", result.by_coin)))


def _group_table(heading: str, groups: Sequence[GroupStatistics]) -> Table:
    rows = [
        (
            group.name,
            f"{group.trades:,}",
            number_text(group.win_rate_pct),
            number_text(group.average_trade_before_cost_bps),
            _toned_cell(group.average_trade_after_cost_bps),
            _toned_cell(group.return_pct),
            number_text(group.fees_paid_quote, 2),
        )
        for group in groups
    ]
    return Table((heading, "trades", "win rate, %", "before costs, bps", "after costs, bps", "return, %", "fees"), rows)


def _calibration(result: BacktestResult) -> Section:
    coins = [coin for coin in result.coins if len(coin)]
    svg = backtest_figures.calibration_svg(coins, result.strategy.exit.horizon_candles)
    caption = "Each dot is a tenth of the predictions. On the dashed line, outcomes equal predictions."
    return Section("Calibration", (Figures((Figure(svg, "Predictions and outcomes", caption, wide=True),)),))


def _method(result: BacktestResult) -> Section:
    statistics = [(name, number_text(float(value), 2)) for name, value in asdict(result.statistics).items()]
    market = result.strategy.market
    tables = [Table(("", ""), statistics, "All statistics", folded=True)]
    for name, values in result.strategy.model_dump(mode="json").items():
        if isinstance(values, dict):
            tables.append(Table(("", ""), [(key, str(value)) for key, value in values.items()], f"Strategy: {name}", folded=True))
    return Section(
        "Method and settings",
        (
            Prose(
                (
                    predictions_summary(result),
                    f"A market order is filled at the next candle's open, {market.slippage_bps:g} bps worse; fees are "
                    f"{market.taker_fee_bps:g} bps (taker) and {market.maker_fee_bps:g} bps (maker). Where a candle reaches both stop and "
                    "take-profit, the stop came first; a gap through a stop is filled at the open; limit orders are filled only where the "
                    "price went beyond them; in candles without trades nothing is filled. A position is at most "
                    f"{market.volume_share_pct:g} % of a candle's median volume, and an order takes at most as much of each candle's "
                    "volume; the rest is filled in the next candles at their worst price.",
                )
            ),
            *tables,
        ),
    )


def _cells(found: BreakEven) -> tuple[str, ...]:
    return (
        number_text(found.bps),
        _interval(found),
        number_text(found.cost_bps),
        f"{found.trades:,}",
        f"{found.independent_trades:,.0f}",
    )


def _interval(found: BreakEven) -> str:
    return f"{found.low_bps:.1f} to {found.high_bps:.1f}" if isfinite(found.low_bps) else "–"


def _toned_cell(value: float) -> Cell:
    return Cell(number_text(value), _tone(value))


def _tone(value: float) -> Tone:
    if not isfinite(value) or not value:
        return "neutral"
    return "good" if value > 0 else "bad"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if isfinite(share) else "unknown"


def _with_unit(value: float, unit: str) -> str:
    return f"{number_text(value)} {unit}" if isfinite(value) else "–"
