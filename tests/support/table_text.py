"""Tables as `coinfarm` prints them where the terminal says nothing of its width."""

import io

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from coinfarm.cli.tables import fitted

WIDTH = 80


def assert_fits(table: Table) -> str:
    """No line is longer than 80 columns, no word is broken, and nothing is cut off; the text."""
    console = Console(width=WIDTH, file=io.StringIO())
    table = fitted(table, WIDTH)
    least = Measurement.get(console, console.options.update(width=10 * WIDTH), table).minimum
    assert least <= WIDTH, f"needs {least} columns: {table.title or [column.header for column in table.columns]}"
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "…" not in text, text
    return text
