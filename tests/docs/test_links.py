"""Links, images and file names in the pages exist."""

import itertools
import re

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import ROOT, page_names

LINKED = [*page_names(), "CHANGELOG.md", "coinfarm/backtesting/reporting/recipes.md"]
TO_BE_WRITTEN = {"docs/architecture.md": {"coinfarm/engines/onnx.py"}}
"""Files that a page tells its reader to write."""
_CREATED_BY_COMMANDS = ("build/", "dist/", "results/", ".venv/", ".aws-sam/")


def tokens(name):
    return MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text(encoding="utf-8"))


def inline(name):
    """The inline tokens of a page, with the line number of their paragraph."""
    for token in tokens(name):
        for child in token.children or []:
            yield token.map[0] + 1, child


def anchors(path):
    """The anchors of the headings, in GitHub's format."""
    found, headings = [], MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    for opening, token in itertools.pairwise(headings):
        if opening.type == "heading_open":
            text = "".join(child.content for child in token.children if child.type in ("text", "code_inline"))
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return set(found)


@pytest.mark.parametrize("name", LINKED)
def test_links_and_images_exist(name):
    wrong = []
    for line, token in inline(name):
        target = token.attrGet("href") or token.attrGet("src")
        if target is None or re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        if not path.exists() or not path.resolve().is_relative_to(ROOT.resolve()):
            wrong.append(f"{name}:{line}: {target} does not exist")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path):
            wrong.append(f"{name}:{line}: {file or name} has no heading for #{anchor}")
    assert wrong == []


@pytest.mark.parametrize("name", LINKED)
def test_file_names_exist(name):
    """File and folder names in inline code, relative to the root or to the page, possibly with `*`."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    wrong = []
    for line, token in inline(name):
        named = token.content.rstrip("/")
        is_path = re.fullmatch(r"[\w.*/-]+", named) and "/" in named and named.split("/")[0] in folders
        if token.type != "code_inline" or not is_path or named.startswith(_CREATED_BY_COMMANDS) or named in TO_BE_WRITTEN.get(name, ()):
            continue
        if not any(any(folder.glob(named)) for folder in (ROOT, (ROOT / name).parent)):
            wrong.append(f"{name}:{line}: {named} does not exist")
    assert wrong == []
