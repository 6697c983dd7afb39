"""Tables on a terminal, in a pipe or in a file: as wide as the terminal, and otherwise 80 columns."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

_WIDTH = 80


def print_tables(*tables: "Table", to_stderr: bool = False) -> None:
    """Print the tables. COLUMNS sets another width."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) else None if stream.isatty() else _WIDTH
    console = Console(width=width, stderr=to_stderr)
    for table in tables:
        console.print(fitted(table, console.width))


def fitted(table: "Table", width: int) -> "Table":
    """The table itself, changed where it is wider than `width`: without lines between its columns, broken between words.

    Rich alone shortens words, and ends what does not fit with an ellipsis.
    """
    from rich import box
    from rich.console import Console

    console = Console(width=10_000)
    for column in table.columns:
        column.overflow = "fold"
    if console.measure(table).maximum <= width:
        return table
    table.box, table.show_edge, table.pad_edge, table.collapse_padding = box.SIMPLE_HEAD, False, False, True
    table.min_width = None
    total = console.measure(table).maximum
    if total > width:
        sizes = [_sizes(console, column) for column in table.columns]
        room = width - (total - sum(longest for _, longest in sizes)) - sum(least for least, _ in sizes)
        if room >= 0:
            for column, size in zip(table.columns, _shared(sizes, room), strict=True):
                column.width = size
    return table


def _sizes(console: "Console", column: "Column") -> tuple[int, int]:
    """The width of the longest word of a column, and of its longest line."""
    found = [console.measure(cell) for cell in (column.header, *column.cells)]
    longest = max(each.maximum for each in found)
    return longest if column.no_wrap else max(each.minimum for each in found), longest


def _shared(sizes: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Widths from the least on; the room goes column by column to what misses least."""
    widths = [least for least, _ in sizes]
    for at in sorted(range(len(sizes)), key=lambda at: sizes[at][1] - sizes[at][0]):
        more = min(room, sizes[at][1] - sizes[at][0])
        widths[at] += more
        room -= more
    return widths
