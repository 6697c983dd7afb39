"""A page: a verdict, key numbers, and sections of prose, tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.reports.packages import require_packages
from coinfarm.storage.local_file import write_file

Tone = Literal["good", "bad", "neutral"]


@dataclass(frozen=True)
class Verdict:
    """What a reader in a hurry takes away: a headline, and what it rests on."""

    headline: str
    reasons: tuple[str, ...] = ()
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Tile:
    """A key number: what it is, its value with unit, and a note that puts it in its place."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Prose:
    """Paragraphs of plain text."""

    paragraphs: tuple[str, ...]
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Tiles:
    """Key numbers in a row."""

    tiles: tuple[Tile, ...]
    kind: str = field(default="tiles", init=False)


@dataclass(frozen=True)
class Cell:
    """A table's cell that says by its tone how to take it."""

    text: str
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first `text_columns` columns are text, the others numbers. `strong_row` is the one that it is about.

    A `folded` table is a line that opens to it: for what only some will want to read.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str | Cell, ...]]
    caption: str = ""
    text_columns: int = 1
    strong_row: int | None = None
    folded: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Figure:
    """A plot, `svg` as `coinfarm.reports.figure.figure_svg` makes it; a `wide` one has a row to itself."""

    svg: str
    title: str
    caption: str = ""
    wide: bool = False
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Figures:
    """Figures side by side where there is room, one below another where there is not."""

    figures: tuple[Figure, ...]
    kind: str = field(default="figures", init=False)


Element = Prose | Tiles | Table | Figures


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own."""

    title: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Page:
    """A whole report. Text is plain text: whatever it holds, it is shown, never run. `footer` says what made the page from what."""

    title: str
    subtitle: str
    verdict: Verdict
    sections: tuple[Section, ...]
    tiles: tuple[Tile, ...] = ()
    footer: str = ""

    def html(self) -> str:
        """The page, the same for the same content. Raises `CoinfarmError` where the packages for reports are not installed."""
        require_packages()
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("coinfarm.reports", "."),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        return environment.get_template("page.html.j2").render(page=self)

    def write(self, path: Path) -> None:
        """Write the page as a whole. Raises `CoinfarmError` where that is not possible."""
        try:
            write_file(path, self.html())
        except OSError as error:
            raise CoinfarmError(system_error_text(error)) from None
