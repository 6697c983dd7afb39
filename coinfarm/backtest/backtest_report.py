"""A backtest as a page."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite

from coinfarm.backtest import backtest_figures
from coinfarm.backtest.backtest import Result
from coinfarm.backtest.break_even import BreakEven
from coinfarm.backtest.document import account
from coinfarm.backtest.statistics import Part
from coinfarm.backtest.trades import REASONS
from coinfarm.backtest.verdict import Answer
from coinfarm.reports.formatting import minute_text, number_text
from coinfarm.reports.page import Cell, Figure, Figures, Page, Prose, Section, Table, Tile, Tone, Verdict

_TRADES_OF_A_KIND = 4


def page(result: Result) -> Page:
    """The page of one backtest. Raises `CoinfarmError` where the packages for reports are not installed."""
    sections = [_against(result)]
    if len(result.trades):
        sections += [_course(result), *_thresholds(result), _parts(result), _gallery(result)]
    sections += [_calibration(result), _small_print(result)]
    return Page(
        title="Does it make money?",
        subtitle=f"Strategy “{result.strategy.name}” on predictions of {result.model or 'a model that is not named'} · "
        f"{', '.join(result.symbols)}, {result.interval} candles · {minute_text(result.period.start_ms)} to "
        f"{minute_text(result.period.stop_ms)} UTC",
        verdict=Verdict(result.verdict.headline, result.verdict.reasons, _TONES[result.verdict.answer]),
        tiles=_tiles(result),
        sections=tuple(sections),
        footer="Made by coinfarm backtest: the same predictions, candles, strategy and number of variants tried make the same page.",
    )


_TONES: dict[Answer, Tone] = {Answer.MAKES_MONEY: "good", Answer.DOES_NOT: "bad", Answer.CANNOT_BE_TOLD: "neutral"}


def _tiles(result: Result) -> tuple[Tile, ...]:
    found, figure = result.break_even, result.statistics
    return (
        Tile("Break-even cost", _with(found.bps, "bps"), f"90 % interval {_interval(found)}", _tone(found.bps - found.cost_bps)),
        Tile("Cost of a round trip", _with(found.cost_bps, "bps"), "fees and slippage, both sides"),
        Tile(
            "Return", _with(figure.return_pct, "%"), f"before costs {_with(figure.return_before_cost_pct, '%')}", _tone(figure.return_pct)
        ),
        Tile(
            "Sharpe ratio",
            number_text(figure.sharpe_ratio, 2),
            f"real with probability {number_text(result.tried.deflated_sharpe_probability, 2)}",
        ),
        Tile(
            "Direction correct",
            _with(result.direction.traded_right_pct, "%"),
            f"of trades; {_with(result.direction.all_right_pct, '%')} of all predictions",
        ),
    )


def _against(result: Result) -> Section:
    rows: list[tuple[str | Cell, ...]] = [("this strategy", *_cells(result.break_even), _toned(result.statistics.return_pct))]
    rows += [(each.baseline.name, *_cells(each.break_even), _toned(each.return_pct)) for each in result.compared]
    meanings = "; ".join(f"{each.baseline.name}: {each.baseline.meaning}" for each in result.compared)
    return Section(
        "Strategy and baselines",
        (
            Prose(
                (
                    "The break-even cost is what a round trip, in and out, may cost at most before the profit is gone. It is the average "
                    "trade before costs. All rules trade the same candles at the same costs.",
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


def _course(result: Result) -> Section:
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


_EQUITY_CAPTION = "By day; the stake of a day is a share of what there was at its beginning."


def _thresholds(result: Result) -> tuple[Section, ...]:
    if result.sweep is None:
        return ()
    chosen = [fold.thresholds for fold in result.folds]
    caption = "Squares: what was chosen. Left white: fewer than ten trades."
    heats = tuple(
        Figure(
            backtest_figures.heat_svg(result.sweep, result.break_even.cost_bps, chosen, later=later),
            "Second half: tested" if later else "First half: thresholds chosen",
            caption,
        )
        for later in (False, True)
    )
    rows = [
        (
            f"{minute_text(fold.start_ms)} to {minute_text(fold.stop_ms)}",
            f"{fold.thresholds.min_end_change_pct:.3f}",
            f"{fold.thresholds.min_rise_to_decline:.2f}",
            f"{fold.trained_on:,}",
        )
        for fold in result.folds
    ]
    return (
        Section(
            "Thresholds",
            (
                Prose(
                    (
                        f"{result.sweep.first_bps.size} pairs of thresholds were tried. Where a colour of the first half does not return "
                        f"in "
                        "the second, it was luck.",
                    )
                ),
                Figures(heats),
                Table(
                    ("tested", "min. end change, %", "min. rise : decline", "chosen on trades"),
                    rows,
                    "Each stretch is traded with the thresholds that did best in the trades that were over before it",
                    folded=True,
                ),
            ),
        ),
    )


def _parts(result: Result) -> Section:
    return Section("Month by month, coin by coin", (_part_table("month", result.by_month), _part_table("coin", result.by_coin)))


def _part_table(what: str, parts: Sequence[Part]) -> Table:
    rows = [
        (
            part.name,
            f"{part.trades:,}",
            number_text(part.win_rate_pct),
            number_text(part.average_trade_before_cost_bps),
            _toned(part.average_trade_after_cost_bps),
            _toned(part.return_pct),
            number_text(part.fees_paid_quote, 2),
        )
        for part in parts
    ]
    return Table((what, "trades", "win rate, %", "before costs, bps", "after costs, bps", "return, %", "fees"), rows)


def _gallery(result: Result) -> Section:
    chosen = backtest_figures.gallery(result.trades, _TRADES_OF_A_KIND)
    shown = []
    for kind, rows in chosen.items():
        for at in rows:
            trade = result.trades[at]
            earned = 1e4 * (trade.gross - trade.slippage - trade.fees) / trade.stake
            shown.append(
                Figure(
                    backtest_figures.trade_svg(result, at),
                    f"{kind.capitalize()}: {result.symbols[trade.coin]}, {minute_text(trade.entry_ms)}",
                    f"{'Long' if trade.side > 0 else 'Short'}, left by {REASONS[trade.reason]}; {earned:+.0f} bps after costs.",
                )
            )
    return Section(
        "Some of the trades",
        (
            Prose(
                (
                    "Blue: the entry. Orange: the exit. Shaded is the horizon, which the model did not see; in it the predicted rise and "
                    "decline (dotted) and the way to the predicted end (dashed), beside the actual prices. Look at the random ones.",
                )
            ),
            Figures(tuple(shown)),
        ),
    )


def _calibration(result: Result) -> Section:
    coins = [coin for coin in result.coins if len(coin)]
    svg = backtest_figures.calibration_svg(coins, result.strategy.exit.horizon_candles)
    caption = "Each dot is a tenth of the predictions. On the dashed line, outcomes equal predictions."
    return Section("Calibration", (Figures((Figure(svg, "Predictions and outcomes", caption, wide=True),)),))


def _small_print(result: Result) -> Section:
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
                    account(result),
                    f"A signal at a candle's close is filled at the next candle's open, {market.slippage_bps:g} bps worse; fees of "
                    f"{market.taker_fee_bps:g} bps (taker) and {market.maker_fee_bps:g} bps (maker) are paid on both sides. Where a candle "
                    "reaches both stop and take-profit, the stop came first; a gap through a stop is filled at the open; a take-profit is "
                    "filled only where the price went beyond it; in minutes without a trade nothing is filled; and no more than "
                    f"{market.volume_share_pct:g} % of a candle's volume is taken.",
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


def _toned(value: float) -> Cell:
    return Cell(number_text(value), _tone(value))


def _tone(value: float) -> Tone:
    if not isfinite(value) or not value:
        return "neutral"
    return "good" if value > 0 else "bad"


def _with(value: float, unit: str) -> str:
    return f"{number_text(value)} {unit}" if isfinite(value) else "–"
