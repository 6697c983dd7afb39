"""A page: a summary, key numbers, and sections of prose, tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.reports.jinja_template import render
from coinfarm.storage.local_file import write_file

Tone = Literal["good", "bad", "neutral"]


@dataclass(frozen=True)
class Summary:
    """The result in one headline, and the reasons for it."""

    headline: str
    reasons: tuple[str, ...] = ()
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Tile:
    """A key number: its label, its value with unit, and a note for comparison."""

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
    """A table cell with a tone. `href` is the address of a page beside this one that it links to."""

    text: str
    tone: Tone = "neutral"
    href: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first `text_columns` columns are text, the others numbers. `strong_row` is emphasised.

    A `collapsed` table shows only its caption until it is opened.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str | Cell, ...]]
    caption: str = ""
    text_columns: int = 1
    strong_row: int | None = None
    collapsed: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Figure:
    """A plot, `svg` from `coinfarm.reports.figure.figure_svg`; a `wide` one has a row to itself."""

    svg: str
    title: str
    caption: str = ""
    wide: bool = False
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Figures:
    """Figures side by side, or one below another on a narrow screen."""

    figures: tuple[Figure, ...]
    kind: str = field(default="figures", init=False)


Element = Prose | Tiles | Table | Figures


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    title: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Page:
    """A complete report. All text is plain text and is escaped. `footer` names the command and the data that generated the page."""

    title: str
    subtitle: str
    summary: Summary
    sections: tuple[Section, ...]
    tiles: tuple[Tile, ...] = ()
    footer: str = ""

    def html(self) -> str:
        """The HTML text, the same for the same content."""
        return render("coinfarm.reports", "page.html.j2", page=self)

    def write(self, path: Path) -> None:
        """Write the page. Raises `CoinfarmError` if that fails."""
        try:
            write_file(path, self.html())
        except OSError as error:
            raise CoinfarmError(system_error_text(error)) from None
