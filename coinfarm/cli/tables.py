"""Print tables as wide as the terminal; 80 columns in a pipe or file."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

_WIDTH = 80


def print_tables(*tables: "Table", to_stderr: bool = False) -> None:
    """Print the tables. The environment variable COLUMNS sets another width."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) else None if stream.isatty() else _WIDTH
    console = Console(width=width, stderr=to_stderr)
    for table in tables:
        console.print(fitted(table, console.width))


def numeric_table(title: str, first: str, *columns: str, **options: Any) -> "Table":
    """A table with right-aligned columns after the first one. `options` are for `rich.table.Table`."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption_justify="left", show_header=any((first, *columns)), **options)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def fitted(table: "Table", width: int) -> "Table":
    """Fit `table` into `width` in place, without borders and with wrapped lines if necessary, and return it.

    Rich by itself breaks words, and cuts text off with an ellipsis.
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
        spare = width - (total - sum(longest for _, longest in sizes)) - sum(shortest for shortest, _ in sizes)
        if spare >= 0:
            for column, size in zip(table.columns, _distributed(sizes, spare), strict=True):
                column.width = size
    return table


def _sizes(console: "Console", column: "Column") -> tuple[int, int]:
    """The widths of the longest word of a column and of its longest line."""
    cells = [console.measure(cell) for cell in (column.header, *column.cells)]
    longest = max(cell.maximum for cell in cells)
    return longest if column.no_wrap else max(cell.minimum for cell in cells), longest


def _distributed(sizes: Sequence[tuple[int, int]], spare: int) -> list[int]:
    """The column widths: the longest words, plus the spare width for the columns that need the least of it first."""
    widths = [shortest for shortest, _ in sizes]
    for column in sorted(range(len(sizes)), key=lambda column: sizes[column][1] - sizes[column][0]):
        added = min(spare, sizes[column][1] - sizes[column][0])
        widths[column] += added
        spare -= added
    return widths
