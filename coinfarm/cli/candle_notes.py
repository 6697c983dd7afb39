"""What was dropped from candles or looks wrong in them, as lines on stderr, whichever module has read them."""

import warnings
from collections.abc import Iterable
from typing import TextIO

import click

from coinfarm.errors import CandleWarning


def show_notes(place: str, notes: Iterable[str]) -> None:
    """One line for each note on the candles of a file."""
    for note in notes:
        click.echo(f"{place}: {note}", err=True)


def show_candle_warnings() -> None:
    """Print each `CandleWarning` of this process once, as `show_notes` does, not as Python prints warnings."""
    warnings.filterwarnings("default", category=CandleWarning)
    python_shows = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
    ) -> None:
        if issubclass(category, CandleWarning):
            click.echo(str(message), err=True)
        else:
            python_shows(message, category, filename, lineno, file, line)

    warnings.showwarning = show
