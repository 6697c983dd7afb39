"""Tables as `coinfarm` prints them into a pipe."""

import io

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from coinfarm.cli.tables import fitted

WIDTH = 80


def assert_fits(table: Table) -> str:
    """Assert that no line is longer than 80 columns, and no word is broken or cut off; returns the text."""
    console = Console(width=WIDTH, file=io.StringIO())
    table = fitted(table, WIDTH)
    min_width = Measurement.get(console, console.options.update(width=10 * WIDTH), table).minimum
    assert min_width <= WIDTH, f"needs {min_width} columns: {table.title or [column.header for column in table.columns]}"
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "…" not in text, text
    return text
