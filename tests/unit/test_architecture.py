"""docs/architecture.md shows the import contract; docs/architecture.svg matches docs/architecture.dot, compared without Graphviz."""

import re
import tomllib
from xml.etree import ElementTree

from tests.support.repository import ROOT

TEXT = (ROOT / "docs/architecture.dot").read_text()
IMAGE = ElementTree.parse(ROOT / "docs/architecture.svg").getroot()
OUTDATED = "docs/architecture.svg is outdated: run `make diagram`"


def in_image(tag, *kinds):
    groups = (group for group in IMAGE.findall(".//{*}g") if group.get("class") in kinds)
    return {(found.text or "").strip() for group in groups for found in group.findall("{*}" + tag)}


def test_image_has_the_edges_of_its_source():
    arrows = {f"{start}->{end}" for start, end in re.findall(r"^\s*(\w+) -> (\w+)", TEXT, re.MULTILINE)}
    assert len(arrows) > 20
    assert in_image("title", "edge") == arrows, OUTDATED


def test_image_has_the_labels_of_its_source():
    labels = re.findall(r'label="([^"]+)"', TEXT)
    words = {line.strip() for label in labels for line in re.split(r"\\[nl]", label)} - {""}
    assert in_image("text", "node", "edge", "cluster") == words, OUTDATED


def test_modules_in_the_diagram_exist():
    for name in re.findall(r"\b(coinfarm\.\w+|image_render)\b", TEXT):
        place = ROOT / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_page_shows_the_layers_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    table = (ROOT / "docs/architecture.md").read_text().split("## Layers\n\n```text\n")[1].split("```")[0]
    shown = [re.split(r"  +", line)[0].replace(", ", ", coinfarm/").split(", ") for line in table.splitlines()]
    assert [path for layer in shown for path in layer if not (ROOT / path).exists()] == []
    modules = [{path.removesuffix(".py").replace("/", ".") for path in layer} for layer in shown]
    assert modules == [set(re.split(r" [|:] ", layer)) for layer in layers]
