"""A checked store as a person reads it on a terminal."""

from heapq import nlargest

from rich.table import Table

from coinfarm.history.check import SeriesCheck
from coinfarm.history.day import minute_text

_HOLES_SHOWN = 10


def coverage_table(checks: list[SeriesCheck]) -> Table:
    """Per cent of the intervals that have a candle, by month and series."""
    table = Table(title="Coverage in %", title_justify="left")
    table.add_column("month")
    for check in checks:
        table.add_column(f"{check.symbol} {check.interval}", justify="right")
    months = [check.months for check in checks]
    for month in sorted({month for each in months for month in each}):
        table.add_row(month, *(f"{each[month].pct:.2f}" if month in each else "" for each in months))
    table.add_section()
    table.add_row("all", *(f"{check.coverage.pct:.2f}" for check in checks))
    return table


def series_table(checks: list[SeriesCheck]) -> Table:
    """What there is of each series."""
    table = Table(title="Series", title_justify="left")
    for heading in ("", "first candle", "last candle"):
        table.add_column(heading, no_wrap=True)
    for heading in ("candles", "holes", "minutes", "partial days", "faults"):
        table.add_column(heading, justify="right")
    for check in checks:
        ends = ["–" if time_ms is None else minute_text(time_ms) for time_ms in (check.first_ms, check.last_ms)]
        missing = sum(hole.minutes for hole in check.holes)
        counts = (check.coverage.candles, len(check.holes), missing, len(check.partial_days), len(check.faults))
        table.add_row(f"{check.symbol} {check.interval}", *ends, *(f"{count:,}" for count in counts))
    return table


def hole_table(checks: list[SeriesCheck]) -> Table | None:
    """The longest holes of all; None where there is none."""
    holes = [(hole, check) for check in checks for hole in check.holes]
    if not holes:
        return None
    shown = nlargest(_HOLES_SHOWN, holes, key=lambda held: held[0].minutes)
    caption = f"The longest of {len(holes):,}: --json names every one." if len(holes) > len(shown) else None
    table = Table(title="Holes", caption=caption, title_justify="left", caption_justify="left")
    for heading in ("", "from (UTC)", "up to, not including"):
        table.add_column(heading)
    table.add_column("minutes", justify="right")
    for hole, check in shown:
        table.add_row(f"{check.symbol} {check.interval}", minute_text(hole.start_ms), minute_text(hole.stop_ms), f"{hole.minutes:,}")
    return table
