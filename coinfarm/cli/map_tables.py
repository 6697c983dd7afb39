"""A map of intervals on a terminal."""

from collections.abc import Iterator
from math import isfinite

from rich.table import Table

from coinfarm.backtesting.interval_map.interval_map import IntervalMap
from coinfarm.backtesting.interval_map.requirements import PayingFees
from coinfarm.cli.tables import numeric_table
from coinfarm.reports.formatting import coins_text, minute_text, number_text


def map_tables(found: IntervalMap) -> Iterator[Table]:
    """The map, what would have to be true, and the coins and periods; each in at most 80 columns."""
    yield _map_table(found)
    yield _requirements_table(found)
    yield _periods_table(found)


def _map_table(found: IntervalMap) -> Table:
    columns = ("move", "cost", "break-even", "net a day", "trades", "blocks", "smallest\nedge", "answer")
    table = numeric_table(
        "By interval, in bps, with 90 % intervals",
        "",
        *columns,
        caption="move: the median over the horizon; net a day: of the capital; blocks: independent blocks of days; smallest edge: found "
        f"with a probability of 80 %; answer: given all {found.tried} strategies tried.",
    )
    table.columns[-1].justify = "left"
    table.columns[3].no_wrap = table.columns[4].no_wrap = True  # an interval is one line
    for each in found.intervals:
        cost, daily = each.result.break_even, each.daily_profit
        table.add_row(
            each.interval,
            number_text(each.median_move_bps, 0),
            number_text(cost.cost_bps),
            _with_interval(cost.bps, cost.low_bps, cost.high_bps),
            _with_interval(daily.edge_bps, daily.low_bps, daily.high_bps),
            f"{cost.trades:,}",
            number_text(cost.inference.effective_blocks, 0),
            number_text(cost.inference.detectable_bps),
            each.conclusion.short,
        )
    return table


def _requirements_table(found: IntervalMap) -> Table:
    market = found.intervals[0].result.strategy.market
    table = numeric_table(
        "What would have to be true",
        "",
        *("would pay\nwith fees of", "maker", "taker", "surely pays\nwith fees of", "maker", "taker", "accuracy\nneeded %", "actual\n%"),
        caption="In bps: the fees of a round trip, and that of each order (today "
        f"{market.maker_fee_bps:g} maker, {market.taker_fee_bps:g} taker). Would pay: at the break-even cost; surely: at the lower end of "
        "its 90 % interval.",
    )
    for each in found.intervals:
        accuracy = each.accuracy
        table.add_row(
            each.interval,
            *_fees(each.would_pay),
            *_fees(each.surely_pays),
            number_text(accuracy.required_pct),
            number_text(accuracy.actual_pct),
        )
    return table


def _periods_table(found: IntervalMap) -> Table:
    table = Table(title="Coins and periods", title_justify="left")
    for heading in ("", "coins", "tested, UTC"):
        table.add_column(heading)
    for each in found.intervals:
        period = each.result.period
        text = f"{minute_text(period.start_ms)} to {minute_text(period.stop_ms)}"
        table.add_row(each.interval, coins_text(each.result.symbols, None), text)
    return table


def _fees(fees: PayingFees) -> tuple[str, str, str]:
    return number_text(fees.round_trip_bps), number_text(fees.maker_bps), number_text(fees.taker_bps)


def _with_interval(value: float, low: float, high: float) -> str:
    return f"{number_text(value)}\n[{number_text(low, 0)}, {number_text(high, 0)}]" if isfinite(low) else number_text(value)
