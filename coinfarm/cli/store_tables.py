"""The result of checking a candle store, as tables."""

from heapq import nlargest

from rich.table import Table

from coinfarm.candle_store.check import SeriesCheck
from coinfarm.reports.formatting import minute_text

_GAPS_SHOWN = 10
_SERIES_WIDTH = 66
"""The width that 80 columns leave next to the months."""


def coverage_tables(checks: list[SeriesCheck]) -> list[Table]:
    """Percent of the intervals that have a candle, by month and series, in as many tables as the width requires."""
    groups: list[list[SeriesCheck]] = []
    free = 0
    for check in checks:
        needed = max(len(check.symbol), len(check.interval), len("100.00")) + 3
        if needed > free:
            groups.append([])
            free = _SERIES_WIDTH
        groups[-1].append(check)
        free -= needed
    return [_coverage_table(group) for group in groups]


def _coverage_table(checks: list[SeriesCheck]) -> Table:
    table = Table(title="Coverage in %", title_justify="left")
    table.add_column("month", no_wrap=True)
    for check in checks:
        table.add_column(f"{check.symbol} {check.interval}", justify="right")
    months = [check.months for check in checks]
    for month in sorted({month for each in months for month in each}):
        table.add_row(month, *(f"{each[month].pct:.2f}" if month in each else "" for each in months))
    table.add_section()
    table.add_row("all", *(f"{check.coverage.pct:.2f}" for check in checks))
    return table


def series_table(checks: list[SeriesCheck]) -> Table:
    """The period, candles, gaps and errors of each series."""
    table = Table(title="Series", title_justify="left")
    table.add_column("")
    table.add_column("first candle,\nlast candle", no_wrap=True)
    for heading in ("candles", "gaps", "minutes missing", "partial days", "errors"):
        table.add_column(heading, justify="right")
    for check in checks:
        ends = ["–" if time_ms is None else minute_text(time_ms) for time_ms in (check.first_ms, check.last_ms)]
        missing = sum(gap.minutes for gap in check.gaps)
        counts = (check.coverage.candles, len(check.gaps), missing, len(check.partial_days), len(check.errors))
        table.add_row(f"{check.symbol} {check.interval}", "\n".join(ends), *(f"{count:,}" for count in counts))
    return table


def gap_table(checks: list[SeriesCheck]) -> Table | None:
    """The longest gaps of all series; None if there is none."""
    gaps = [(gap, check) for check in checks for gap in check.gaps]
    if not gaps:
        return None
    shown = nlargest(_GAPS_SHOWN, gaps, key=lambda pair: pair[0].minutes)
    caption = f"The longest of {len(gaps):,}: --json lists all." if len(gaps) > len(shown) else None
    table = Table(title="Gaps", caption=caption, title_justify="left", caption_justify="left")
    table.add_column("")
    for heading in ("from (UTC)", "up to, not including"):
        table.add_column(heading, no_wrap=True)
    table.add_column("minutes", justify="right")
    for gap, check in shown:
        table.add_row(f"{check.symbol} {check.interval}", minute_text(gap.start_ms), minute_text(gap.stop_ms), f"{gap.minutes:,}")
    return table
