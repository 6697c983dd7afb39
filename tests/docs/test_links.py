"""Links, images and names of files in the pages lead to what is there."""

import itertools
import re

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import ROOT, page_names

LINKED = [*page_names(), "CHANGELOG.md", "coinfarm/backtest/recipes.md"]
NOT_THERE_YET = {"docs/architecture.md": {"coinfarm/engines/onnx.py"}}
"""Files that a page tells its reader to write."""
_MADE_BY_COMMANDS = ("build/", "dist/", "results/", ".venv/", ".aws-sam/")


def tokens(name):
    return MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text(encoding="utf-8"))


def inline(name):
    """The inline tokens of a page with the number of the line that their paragraph begins at."""
    for token in tokens(name):
        for child in token.children or []:
            yield token.map[0] + 1, child


def anchors(path):
    """Of the headings, as GitHub makes them."""
    found, headings = [], MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    for opening, token in itertools.pairwise(headings):
        if opening.type == "heading_open":
            text = "".join(child.content for child in token.children if child.type in ("text", "code_inline"))
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return set(found)


@pytest.mark.parametrize("name", LINKED)
def test_links_and_images_lead_somewhere(name):
    wrong = []
    for line, token in inline(name):
        target = token.attrGet("href") or token.attrGet("src")
        if target is None or re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        if not path.exists() or not path.resolve().is_relative_to(ROOT.resolve()):
            wrong.append(f"{name}:{line}: there is no {target}")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path):
            wrong.append(f"{name}:{line}: {file or name} has no heading for #{anchor}")
    assert wrong == []


@pytest.mark.parametrize("name", LINKED)
def test_files_that_a_page_names_are_there(name):
    """Names in the text, as code: of a file or folder, from the root or the page's folder on, or with `*`."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    wrong = []
    for line, token in inline(name):
        named = token.content.rstrip("/")
        is_path = re.fullmatch(r"[\w.*/-]+", named) and "/" in named and named.split("/")[0] in folders
        if token.type != "code_inline" or not is_path or named.startswith(_MADE_BY_COMMANDS) or named in NOT_THERE_YET.get(name, ()):
            continue
        if not any(any(folder.glob(named)) for folder in (ROOT, (ROOT / name).parent)):
            wrong.append(f"{name}:{line}: there is no {named}")
    assert wrong == []
