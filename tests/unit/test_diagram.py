"""docs/architecture.svg, which is drawn from docs/architecture.dot: Graphviz is not needed to see whether the two agree."""

import re
from xml.etree import ElementTree

from tests.support.repository import ROOT

TEXT = (ROOT / "docs/architecture.dot").read_text()
PICTURE = ElementTree.parse(ROOT / "docs/architecture.svg").getroot()
STALE = "docs/architecture.svg is stale: renew it with `make diagram`"


def in_picture(tag: str, *kinds: str) -> set[str]:
    groups = (group for group in PICTURE.findall(".//{*}g") if group.get("class") in kinds)
    return {(found.text or "").strip() for group in groups for found in group.findall("{*}" + tag)}


def test_the_picture_has_the_arrows_of_its_text() -> None:
    arrows = {f"{start}->{end}" for start, end in re.findall(r"^\s*(\w+) -> (\w+)", TEXT, re.MULTILINE)}
    assert len(arrows) > 20
    assert in_picture("title", "edge") == arrows, STALE


def test_the_picture_has_the_words_of_its_text() -> None:
    labels = re.findall(r'label="([^"]+)"', TEXT)
    words = {line.strip() for label in labels for line in re.split(r"\\[nl]", label)} - {""}
    assert in_picture("text", "node", "edge", "cluster") == words, STALE


def test_the_modules_that_the_picture_names_exist() -> None:
    for name in re.findall(r"\b(coinfarm\.\w+|image_render)\b", TEXT):
        place = ROOT / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), name
