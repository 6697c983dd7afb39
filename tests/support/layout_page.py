"""Writes the table of docs/sources.md: every layout, and whether it is read. `python -m tests.support.layout_page` after a change."""

import re

import numpy as np

from coinfarm.candles.files import Reading, read_candles
from coinfarm.errors import CoinfarmError
from tests.support.csv_layouts import CSV_LAYOUTS
from tests.support.exchange_layouts import EXCHANGE_LAYOUTS
from tests.support.json_layouts import JSON_LAYOUTS
from tests.support.layout_rows import TRUTH, Layout
from tests.support.other_layouts import OTHER_LAYOUTS
from tests.support.rare_csv_layouts import RARE_CSV_LAYOUTS
from tests.support.rare_layouts import RARE_LAYOUTS
from tests.support.repository import ROOT
from tests.support.source_csv_layouts import SOURCE_CSV_LAYOUTS
from tests.support.vendor_layouts import VENDOR_LAYOUTS

LAYOUTS = [
    *SOURCE_CSV_LAYOUTS,
    *EXCHANGE_LAYOUTS,
    *VENDOR_LAYOUTS,
    *CSV_LAYOUTS,
    *JSON_LAYOUTS,
    *OTHER_LAYOUTS,
    *RARE_LAYOUTS,
    *RARE_CSV_LAYOUTS,
]
PAGE = ROOT / "docs/sources.md"
_TABLE = re.compile(r"(?<=<!-- table of layouts -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
_MAX_LENGTH = 110


def read_layout(layout: Layout) -> Reading | str:
    """The candles of a layout, or the words with which it is rejected."""
    try:
        return read_candles(layout.data, layout.file_name, symbol=layout.symbol, interval=layout.interval, timezone=layout.timezone)
    except CoinfarmError as error:
        return str(error)


def is_truth(reading: Reading) -> bool:
    """Whether a file was read to the last bit but that of a float in text."""
    found = reading.candles
    return bool(np.array_equal(found.open_time, TRUTH.open_time)) and np.allclose(found.columns, TRUTH.columns, rtol=1e-9, atol=1e-9)


def table() -> str:
    """The table in Markdown."""
    lines = ["| source | layout | outcome |", "| --- | --- | --- |"]
    for layout in LAYOUTS:
        found = read_layout(layout)
        if isinstance(found, str):
            outcome = f"rejected: {_cell(found)}"
        else:
            outcome = ("read" if is_truth(found) else "**wrong**") + "".join(f"; {_cell(note)}" for note in found.notes)
        lines.append(f"| {layout.source} | {layout.shape} | {outcome} |")
    return "\n".join(lines)


def page_with_table(page: str) -> str:
    return _TABLE.sub(lambda _: table(), page)


def _cell(text: str) -> str:
    shown = text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH].rpartition(' ')[0]} …"
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", shown)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
