"""The files of the page, which work without a build step, and the candles of its example."""

import csv
import gzip
import hashlib
import io
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from coinfarm.candles.json_rows import FIELDS, rows_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate

INDEX = "index.html"
EXAMPLE = "example.csv"
_EXAMPLE_CANDLES = 1200
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class PageFile:
    """One file, with its media type."""

    content: bytes
    media_type: str

    @cached_property
    def compressed(self) -> bytes:
        """The content for clients that accept gzip."""
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def etag(self) -> str:
        """The same as long as the content is."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @property
    def text(self) -> str:
        return self.content.decode()


@cache
def page_files() -> dict[str, PageFile]:
    """Every file of the page, by its path below `assets/`, and the page itself as `index.html`."""
    found = dict(_files_below(files("handler.web") / "static", ""))
    return found | {EXAMPLE: _page_file(EXAMPLE, _example_csv())}


def _files_below(folder: Traversable, prefix: str) -> list[tuple[str, PageFile]]:
    found = []
    for each in folder.iterdir():
        name = prefix + each.name
        found += _files_below(each, f"{name}/") if each.is_dir() else [(name, _page_file(name, each.read_bytes()))]
    return found


def _page_file(name: str, content: bytes) -> PageFile:
    return PageFile(content, _MEDIA_TYPES[name.rpartition(".")[2] if "." in name else ""])


def _example_csv() -> bytes:
    """Synthetic candles, always the same ones."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(rows_from_candles(generate("DEMOUSD", "1m", START_OF_2026_MS, _EXAMPLE_CANDLES, seed=2026)))
    return text.getvalue().encode()
