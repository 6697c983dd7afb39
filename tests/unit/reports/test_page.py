"""The HTML page: self-contained, reproducible, and with all text escaped."""

import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.extras import MissingPackage
from coinfarm.reports.figure import BLUE, WIDE, figure_svg, svg_file_text
from coinfarm.reports.page import Cell, Figure, Figures, Page, Prose, Section, Summary, Table, Tile, Tiles

VOID = {"meta", "path", "use", "image", "rect", "br"}


class Outline(HTMLParser):
    """The tags, checked to be opened and closed in order, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.tags = []
        self.attributes = []
        self.texts = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def line(figure):
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4], color=BLUE, label="a $ and <b>")
    axes.legend()


def page(text="plain"):
    figure = Figure(figure_svg(line, text), text, text)
    return Page(
        title=text,
        subtitle=text,
        summary=Summary(text, (text,), "bad"),
        tiles=(Tile(text, text, text, "good"),),
        sections=(
            Section("First", (Prose((text,)), Tiles((Tile("a", "b"),)))),
            Section(
                "Second",
                (Table((text, "n"), [(text, Cell(text, "bad")), ("x", "1")], text, strong_row=1), Table(("a",), [], collapsed=True)),
            ),
            Section("Third", (Figures((figure, Figure(figure_svg(line, "wide", WIDE), "Wide", wide=True))),)),
        ),
        footer=text,
    )


def test_a_page_loads_nothing_and_has_unique_ids():
    """There is no script, and no address outside the page except XML namespaces."""
    html = page().html()
    outline = Outline(html)
    assert outline.open == []
    assert not {"script", "link", "iframe", "object"} & set(outline.tags)
    for name, value in outline.attributes:
        if name in {"src", "href", "xlink:href"}:
            assert value.startswith(("#", "data:image/png")), value
    assert not re.findall(r"(?:@import|url\((?!#))", html)
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert page().html() == html, "a page is reproducible"


def test_text_is_escaped():
    hostile = '</title><script>alert("1")</script><img src=x onerror=y>'
    outline = Outline(page(hostile).html())
    assert not {"script", "img"} & set(outline.tags)
    assert outline.texts.count(hostile) >= 10


def test_a_plot_has_a_label_and_the_colours_of_the_page():
    svg = figure_svg(line, 'of "a" & b')
    assert svg.startswith('<svg viewBox="0 0 352.8 230.4" role="img" aria-label="of &quot;a&quot; &amp; b"')
    assert "stroke: var(--blue)" in svg
    assert BLUE not in svg
    assert "a $ and &lt;b&gt;" in svg


def test_a_plot_as_a_file_has_its_colours_in_light_and_dark_mode():
    text = svg_file_text(figure_svg(line, "alone"))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("aria-label") == "alone"
    used = set(re.findall(r"var\((--\w+)\)", text))
    light, dark = text.split("prefers-color-scheme: dark")
    assert used <= set(re.findall(r"(--\w+):", light))
    assert used <= set(re.findall(r"(--\w+):", dark))


def test_a_cell_may_link_to_a_page_beside_it():
    table = Table(("who", "n"), [(Cell("1h & more", href="of-1h.html"), "1")])
    html = Page("t", "s", Summary("v"), (Section("One", (table,)),)).html()
    assert '<a href="of-1h.html">1h &amp; more</a>' in html


def test_columns_after_the_text_columns_are_numbers():
    table = Table(("who", "of what", "how much"), [("model", "rise", "0.1")], text_columns=2)
    html = Page("t", "s", Summary("v"), (Section("One", (table,)),)).html()
    assert '<th scope="col">of what</th><th scope="col" class="number">how much</th>' in html
    assert '<td class="neutral">rise</td>' in html
    assert '<td class="neutral number">0.1</td>' in html


def test_a_page_is_written_as_utf_8(tmp_path):
    tested = Page("R² ≥ 0", "", Summary("v"), ())
    tested.write(tmp_path / "report.html")
    assert "R² ≥ 0" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(CoinfarmError, match="below"):
        tested.write(tmp_path / "report.html" / "below.html")


def test_names_the_extra_that_installs_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackage, match=r"pip install 'coinfarm\[report\]'"):
        figure_svg(line, "a")
