"""Tables as `coinfarm` prints them into a pipe."""

import io

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from coinfarm.cli.tables import fitted


def assert_fits(table: Table, width: int = 80) -> str:
    """Assert that no line is longer than `width`, and no word is broken or cut off; returns the text."""
    console = Console(width=width, file=io.StringIO())
    table = fitted(table, width)
    min_width = Measurement.get(console, console.options.update(width=10 * width), table).minimum
    assert min_width <= width, f"needs {min_width} columns: {table.title or [column.header for column in table.columns]}"
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text, text
    return text
